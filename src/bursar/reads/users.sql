-- name: find_user
-- The person with this address, with their password hash: for signing in only.
SELECT id, email, name, password_hash, is_operator, created_at FROM sec.find_user($1);

-- name: user_of_email
-- Whose this address is.
SELECT id FROM sec.find_user($1);
