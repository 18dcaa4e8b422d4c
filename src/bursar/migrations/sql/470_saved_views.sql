-- What people saved of the console's lists: an address under a name, for themselves or for all.
CREATE TABLE saved_views (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    list text NOT NULL CHECK (list ~ '^[a-z][a-z-]{0,39}$'),
    query text NOT NULL CHECK (length(query) <= 1000),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    is_shared boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX saved_views_by_person ON saved_views (org_id, user_id, id);
CREATE INDEX saved_views_by_list ON saved_views (org_id, list, id);
CALL sec.isolate('saved_views');
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO bursar_app;
GRANT SELECT ON saved_views TO bursar_backup;
