-- name: add_user
-- A new person, unless the address is taken.
SELECT sec.add_user($1, $2, $3, $4, $5);

-- name: find_user
-- Whose address this is, with the hash that a password is checked against.
SELECT id, email, name, is_operator, verified_at, created_at, password_hash FROM sec.find_user($1);

-- name: user_by_id
-- One person without their password hash.
SELECT id, email, name, is_operator, verified_at, created_at FROM sec.user_by_id($1);

-- name: name_operator
-- Names an operator or takes the name back; nothing when nobody has the address.
SELECT sec.name_operator($1, $2);

-- name: own_password
-- The hash that the bound person's password is checked against.
SELECT sec.own_password();

-- name: set_password
-- Replaces the bound person's password hash.
SELECT sec.set_password($1);

-- name: verify_user
-- Notes that the bound person reads the mail of their address.
SELECT sec.verify_user();

-- name: open_session
-- A session of the bound person with its first refresh token.
SELECT sec.open_session($1, $2, $3, $4, $5, $6);

-- name: rotate_session
-- Of several uses of one refresh token exactly one rotates it; a later use ends the session.
SELECT r.verdict, r.session_id, r.user_id, r.is_ended FROM sec.rotate_session($1, $2, $3, $4) AS r;

-- name: close_session
-- Ends the session a refresh token belongs to, at once; says whose it was.
SELECT c.session_id, c.user_id FROM sec.close_session($1) AS c;

-- name: end_session
-- Ends one session of the bound person, if it lives.
SELECT sec.end_session($1);

-- name: end_sessions
-- Ends every session of the bound person but one.
SELECT sec.end_sessions($1);

-- name: add_mail_token
-- A token for the bound person, unless many were made in the last hour.
SELECT sec.add_mail_token($1, $2, $3, $4);

-- name: use_mail_token
-- Whose token it is, the first time only.
SELECT sec.use_mail_token($1, $2);
