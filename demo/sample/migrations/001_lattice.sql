-- Nodes of the lattice, the people who use it, what they pay, and who is logged in.
CREATE TABLE nodes (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    frequency_hz REAL NOT NULL CHECK (frequency_hz > 0)
);
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    salt BLOB,
    password_hash BLOB
);
CREATE TABLE sessions (
    token TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    opened_at REAL NOT NULL
);
CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    cents INTEGER NOT NULL CHECK (cents > 0),
    state TEXT NOT NULL CHECK (state IN ('authorised', 'captured', 'voided')),
    created_at REAL NOT NULL
);
CREATE INDEX payments_by_user ON payments (user_id);
WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 64)
INSERT INTO nodes (name, frequency_hz) SELECT printf('node-%02d', n), 400.0 + 7.5 * n FROM counter;
WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 400)
INSERT INTO users (name) SELECT printf('user-%03d', n) FROM counter;
INSERT INTO payments (user_id, cents, state, created_at)
SELECT id, 500 + 13 * id, 'captured', 1700000000 + 60 * id FROM users;
