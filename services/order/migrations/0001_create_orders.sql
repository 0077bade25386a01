create table orders (
  seq integer primary key autoincrement, -- the order of listings
  id text not null unique,
  user_id text not null,
  total integer not null, -- in minor units
  status text not null check (status in ('pending', 'confirmed', 'rejected')),
  payment_id text,
  created_at text not null
);

create index orders_user on orders (user_id, seq);

create table order_items (
  order_id text not null references orders (id),
  position integer not null,
  sku text not null,
  quantity integer not null,
  unit_price integer not null, -- in minor units
  primary key (order_id, position)
);
