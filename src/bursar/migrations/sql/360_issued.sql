-- What a final invoice is printed with: buyer, seller and settings as they were when it was issued.
--
-- A final invoice keeps the versions that it was issued under, which costs it three numbers. What
-- stood on documents is put aside by the change that replaces it, once for all of them. Invoices
-- that were final before this script keep no versions: they are printed with what holds today.

ALTER TABLE invoices
ADD COLUMN buyer_version integer,
ADD COLUMN seller_version integer,
ADD COLUMN settings_version integer,
ADD CONSTRAINT issued_when_final CHECK (
    num_nonnulls(buyer_version, seller_version, settings_version) = 0
    OR (
        num_nonnulls(buyer_version, seller_version, settings_version) = 3 AND finalized_at IS NOT NULL
    )
);

-- What was printed of a customer, an organization or its settings up to a version of theirs, that
-- version included. A customer's goes with the person.
CREATE TABLE former_parties (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    kind text NOT NULL CHECK (kind IN ('buyer', 'seller', 'settings')),
    subject_id uuid NOT NULL,
    until_version integer NOT NULL CHECK (until_version >= 0),
    said jsonb NOT NULL,
    logo bytea,
    PRIMARY KEY (org_id, kind, subject_id, until_version)
);
CALL sec.isolate('former_parties');
GRANT SELECT, INSERT, DELETE ON former_parties TO bursar_app;
GRANT SELECT ON former_parties TO bursar_backup;

CREATE FUNCTION sec.keep_former_buyer() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.former_parties (org_id, kind, subject_id, until_version, said)
    VALUES (old.org_id, 'buyer', old.id, old.version, jsonb_build_object(
        'name', old.name, 'email', old.email, 'tax_id', old.tax_id, 'address', old.address
    )) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER keeps_former AFTER UPDATE OF name, email, tax_id, address ON customers
FOR EACH ROW WHEN (
    (old.name, old.email, old.tax_id, old.address)
    IS DISTINCT FROM (new.name, new.email, new.tax_id, new.address)
) EXECUTE FUNCTION sec.keep_former_buyer();

CREATE FUNCTION sec.keep_former_seller() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.former_parties (org_id, kind, subject_id, until_version, said)
    VALUES (
        old.org_id, 'seller', old.org_id, old.version,
        jsonb_build_object('name', old.name, 'timezone', old.timezone)
    ) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER keeps_former AFTER UPDATE OF name, timezone ON organizations
FOR EACH ROW WHEN ((old.name, old.timezone) IS DISTINCT FROM (new.name, new.timezone))
EXECUTE FUNCTION sec.keep_former_seller();

-- Who has said nothing yet is at version 0; what holds for everybody then is known without a word.
CREATE FUNCTION sec.keep_former_settings() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.former_parties (org_id, kind, subject_id, until_version, said)
        VALUES (new.org_id, 'settings', new.org_id, 0, '{}') ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;
    INSERT INTO public.former_parties (org_id, kind, subject_id, until_version, said, logo)
    VALUES (old.org_id, 'settings', old.org_id, old.version, jsonb_build_object(
        'language', old.language, 'paper', old.paper, 'address', old.address, 'tax_id', old.tax_id,
        'footer', old.footer, 'iban', old.iban, 'bic', old.bic
    ), old.logo) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER begins_former AFTER INSERT ON document_settings
FOR EACH ROW EXECUTE FUNCTION sec.keep_former_settings();
CREATE TRIGGER keeps_former
AFTER UPDATE OF language, paper, address, tax_id, footer, iban, bic, logo ON document_settings
FOR EACH ROW WHEN (
    (old.language, old.paper, old.address, old.tax_id, old.footer, old.iban, old.bic, old.logo)
    IS DISTINCT FROM
    (new.language, new.paper, new.address, new.tax_id, new.footer, new.iban, new.bic, new.logo)
) EXECUTE FUNCTION sec.keep_former_settings();

REVOKE ALL ON FUNCTION
sec.keep_former_buyer(), sec.keep_former_seller(), sec.keep_former_settings() FROM PUBLIC;
