-- The demo's users: 1 to 200, alice and bob. None has a password.
with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 200)
insert into users (id, name, email, age)
select n, 'User-' || n, 'user' || n || '@example.com', 25 from numbers;

insert into users (id, name, email, age, username) values
  ('alice', 'User-alice', 'alice@example.com', 25, 'alice'),
  ('bob', 'User-bob', 'bob@example.com', 25, 'bob');
