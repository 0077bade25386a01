-- A caller that repeats a request with its Idempotency-Key gets the order of the first time.
alter table orders add column idempotency_key text;
create unique index orders_key on orders (user_id, idempotency_key);

-- 1 from when a pending order is to be undone until it is: its money is given back, whatever became of it.
alter table orders add column is_cancelling integer not null default 0;
-- Why an order was rejected: 'declined' or 'cancelled'.
alter table orders add column ending text;
create index orders_pending on orders (created_at) where status = 'pending';
