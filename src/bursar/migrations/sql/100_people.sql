-- People: verification, resets, sessions, second factors, throttles.
SELECT 1;
