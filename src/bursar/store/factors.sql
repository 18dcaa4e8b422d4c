-- name: own_factor
-- The bound person's second factor, confirmed or not.
SELECT f.secret_sealed, f.confirmed_at, f.last_step, f.codes_left FROM sec.own_factor() AS f;

-- name: put_factor
-- A new factor in place of an unconfirmed one; a confirmed one stays.
SELECT sec.put_factor($1);

-- name: take_step
-- Takes the code of a step, once.
SELECT sec.take_step($1);

-- name: take_recovery_code
-- Takes a recovery code, once.
SELECT sec.take_recovery_code($1);

-- name: put_recovery_codes
-- New recovery codes in place of all earlier ones.
SELECT sec.put_recovery_codes($1);

-- name: drop_factor
-- The factor and its recovery codes are gone.
SELECT sec.drop_factor();
