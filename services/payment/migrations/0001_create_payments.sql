create table payments (
  id text primary key,
  order_id text not null,
  user_id text not null,
  amount integer not null, -- in minor units
  currency text not null,
  status text not null check (status in ('captured', 'declined', 'refunded')),
  created_at text not null,
  idempotency_key text unique
);
