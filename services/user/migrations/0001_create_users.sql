create table users (
  seq integer primary key autoincrement, -- the order of listings
  id text not null unique,
  name text not null,
  email text not null,
  age integer not null,
  username text,
  password_hash text
);

-- Two spellings of one address or name are one: they would reach, or look like, the same person.
create unique index users_email on users (lower(email));
create unique index users_username on users (lower(username));
