-- name: add_user
-- A new person, unless the address is taken.
SELECT sec.add_user($1, $2, $3, $4, $5);

-- name: open_session
-- A session with its first refresh token.
SELECT sec.open_session($1, $2, $3, $4, $5);

-- name: rotate_session
-- Of several uses of one refresh token exactly one rotates it; a later use revokes the session.
SELECT verdict, session_id, user_id FROM sec.rotate_session($1, $2, $3);

-- name: close_session
-- Ends the session a refresh token belongs to, at once.
SELECT sec.close_session($1);

-- name: rehash_user
-- Replaces a password hash by one with today's parameters.
SELECT sec.rehash_user($1, $2);

-- name: user_by_id
-- One person without their password hash.
SELECT id, email, name, is_operator, created_at FROM sec.user_by_id($1);

-- name: name_operator
-- Names an operator or takes the name back; nothing when nobody has the address.
SELECT sec.name_operator($1, $2);
