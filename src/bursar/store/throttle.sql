-- name: begin_try
-- Where the next try at an account from an address stands; tries come one by one.
SELECT
    t.failures, t.begun_at, t.failed_at, t.succeeded_at, t.account_failures, t.account_failed_at
FROM sec.begin_try($1, $2) AS t;

-- name: count_try
-- Counts a try as failed, for the address and for the account.
SELECT sec.count_try($1, $2, $3, $4);

-- name: end_try
-- Takes a try back that was no failure; a right one clears the address.
SELECT sec.end_try($1, $2, $3);

-- name: clear_tries
-- Forgets the failures at an account.
SELECT sec.clear_tries($1);
