-- name: enter_each
-- What each credential is, by the door a single request comes through; once for all, keys used in their day.
-- Arrays stand in SELECTs of their own: a planner that saw how long they are would plan for each convoy anew.
-- Whatever a convoy asks afterwards, it asks by key: here it is told to do so by one plan for all convoys.
SELECT
    e.*, CASE WHEN c.place = 1 THEN sec.used_keys($5, $6, e.recorded_at) END AS seen,
    set_config('plan_cache_mode', 'force_generic_plan', true) AS planning
FROM unnest((SELECT $2::uuid[]), (SELECT $3::uuid[]), (SELECT $4::uuid[]))
WITH ORDINALITY AS c (user_id, session_id, api_key_id, place)
CROSS JOIN LATERAL sec.enter(
    $1, c.user_id, c.session_id, c.api_key_id,
    NULL, NULL, NULL, NULL, NULL, NULL
) AS e
ORDER BY c.place;

-- name: keep_answers
-- Keys used for the first time, with their answers, or with what goes on; in the order of keys.
INSERT INTO idempotency_keys AS k (
    org_id, key, fingerprint, claim, boot_id, answer, begun, expires_at
)
SELECT $1, r.key, r.fingerprint, r.claim, $2, r.answer, r.begun, now() + interval '24 hours'
FROM unnest($3::text[], $4::bytea[], $5::uuid[], $6::bytea[], $7::uuid[])
AS r (key, fingerprint, claim, answer, begun)
ORDER BY r.key
ON CONFLICT (org_id, key) DO UPDATE
SET fingerprint = excluded.fingerprint, claim = excluded.claim, boot_id = excluded.boot_id,
    answer = excluded.answer, begun = excluded.begun, created_at = now(), expires_at = excluded.expires_at
WHERE k.expires_at <= now();
