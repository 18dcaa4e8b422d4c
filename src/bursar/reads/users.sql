-- name: user_of_email
-- Whose this address is.
SELECT id FROM sec.find_user($1);

-- name: owner_of_token
-- Whom a mailed token that still works belongs to.
SELECT t.user_id, t.email, t.name FROM sec.owner_of_mail_token($1, $2) AS t;
