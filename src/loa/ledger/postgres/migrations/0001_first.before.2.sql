-- The second wall: a session sees the rows of the tenant it says it works for, all where it says `*`, none where it says
-- nothing. FORCE holds the owner to it too.

CREATE FUNCTION protect(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant_wall ON %s USING ((SELECT current_setting(''loa.tenant'', true)) '
    'IN (''*'', tenant_id::text))', target);
END $$;

SELECT protect(c.oid::regclass) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p');

-- Partitions: made ahead by any process, with the owner's rights, which therefore look only where the owner put things.
-- Attaching takes no lock that stops reading or writing.

CREATE FUNCTION make_partition(parent text, part text, low text, high text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
  IF parent = 'message' THEN
    -- Each row is changed twice soon after it is written: room beside it keeps both changes in the page. With 75 every
    -- second change left it, which cost a tenth of the log.
    EXECUTE format('ALTER TABLE %I SET (fillfactor = 50)', part);
  END IF;
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = part::regclass AND attname = 'tenant_id') THEN
    PERFORM protect(part::regclass);
  END IF;
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, part, low, high);
END $$;

CREATE FUNCTION missing_parts(wanted integer) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT parent FROM unnest(ARRAY[
    'submission', 'message', 'attempt', 'inbound', 'event', 'callback_try', 'receipt', 'segment']) AS parent
  -- Asked of the table of tables: names that were looked up before the wait for another process may be out of date.
  WHERE NOT EXISTS (
    SELECT FROM pg_class WHERE relname = format('%s_d%s', parent, wanted) AND relnamespace = 'loa'::regnamespace)
$$;

CREATE FUNCTION ensure_day(wanted integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = loa, pg_temp AS $$
DECLARE parent text;
BEGIN
  IF NOT EXISTS (SELECT FROM missing_parts(wanted)) THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock(7603297, 1);
  FOR parent IN SELECT missing_parts(wanted) LOOP
    IF parent = 'segment' THEN
      PERFORM make_partition(parent, format('%s_d%s', parent, wanted), wanted::text, (wanted + 1)::text);
    ELSE
      PERFORM make_partition(parent, format('%s_d%s', parent, wanted),
        (wanted::bigint << 48)::text, ((wanted + 1)::bigint << 48)::text);
    END IF;
  END LOOP;
  RETURN true;
END $$;

-- Drops the days of a table before a day; gives how many rows went, at most 100,000 of each counted.
CREATE FUNCTION drop_days(parent text, before integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = loa, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
  part text; part_day integer; counted bigint; gone bigint := 0;
  worked_for text := coalesce(current_setting('loa.tenant', true), '');
BEGIN
  IF parent NOT IN ('submission', 'message', 'attempt', 'inbound', 'event', 'callback_try', 'receipt', 'segment') THEN
    RAISE EXCEPTION 'no history in %', parent;
  END IF;
  PERFORM set_config('loa.tenant', '*', true);
  FOR part, part_day IN
    SELECT c.relname, substring(c.relname FROM '_d(\d+)$')::integer FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent::regclass AND c.relname ~ '_d\d+$' ORDER BY 2
  LOOP
    CONTINUE WHEN part_day >= before;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT 100000) AS counted', part) INTO counted;
    EXECUTE format('DROP TABLE %I', part);
    gone := gone + counted;
  END LOOP;
  PERFORM set_config('loa.tenant', worked_for, true);
  RETURN gone;
END $$;

SELECT make_partition(parent, parent || '_imported', 'MINVALUE', (1::bigint << 48)::text)
FROM unnest(ARRAY['submission', 'message', 'attempt', 'inbound', 'event', 'callback_try', 'receipt']) AS parent;
