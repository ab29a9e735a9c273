import { AppError } from '../../error.ts';
import type { Database } from './database.ts';
import { recordOutcomes } from './recorded-outcomes.ts';
import { joinSpellings, spellingTables } from './spellings.ts';
import { usageChecksums } from './usage/usage-rows.ts';
import { fillUse, useTables } from './use-migration.ts';

/**
 * The file's tables. Migrations are numbered by their place in the list and never changed once released;
 * `PRAGMA user_version` says how many have run. Raw calls are columns: `rollcall sql` shows
 * them with all their words.
 */
const migrations: readonly Migration[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES
    ('rolled_up_call', 0),   -- calls with a greater id are in no usage run yet
    ('settled_from', 0),     -- the minutes that usage blocks hold: first, and the one after the last
    ('settled_to', 0),
    ('minutes_from', 0),     -- usage blocks of minutes, hours and days before these minutes are deleted
    ('hours_from', 0),
    ('days_from', 0),
    ('checks', 0);           -- counts readiness checks, each of which proves a commit

  CREATE TABLE project (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE service (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project,
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    UNIQUE (project_id, name, environment)
  );
  -- The permanent record of an endpoint: never deleted with raw calls. Facts of usage runs and of raw calls
  -- that are not rolled up come on top.
  CREATE TABLE endpoint (
    id INTEGER PRIMARY KEY,
    service_id INTEGER NOT NULL REFERENCES service,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    templated INTEGER NOT NULL,
    first_call_ms INTEGER,
    last_call_ms INTEGER,
    lifetime_calls INTEGER NOT NULL DEFAULT 0,
    lifetime_errors INTEGER NOT NULL DEFAULT 0,
    last_callers TEXT NOT NULL DEFAULT '[]', -- JSON, latest first: client id, origin id, milliseconds, …
    UNIQUE (service_id, method, route)
  );
  -- Days (since the epoch, UTC) on which a service was heard at all: permanent, since an endpoint's silence
  -- counts only while its service was heard.
  CREATE TABLE service_day (
    service_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (service_id, day)
  ) WITHOUT ROWID;
  CREATE TABLE client (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE);
  CREATE TABLE origin (
    id INTEGER PRIMARY KEY,
    service_version TEXT NOT NULL,
    consumer TEXT NOT NULL,
    agent TEXT NOT NULL,
    bot INTEGER NOT NULL,
    error_type TEXT NOT NULL,
    UNIQUE (service_version, consumer, agent, bot, error_type)
  );

  -- An id is never given twice, also when every call is deleted, since watermarks name ids (call-log.ts).
  CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    endpoint_id INTEGER NOT NULL,
    status INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    client_id INTEGER,
    origin_id INTEGER NOT NULL,
    request_bytes INTEGER,
    response_bytes INTEGER
  );
  -- One row a commit. Trace ids stand here, 16 bytes a call: one column less to bind for every call.
  CREATE TABLE call_commit (
    first_call_id INTEGER PRIMARY KEY,
    calls INTEGER NOT NULL,
    committed_s INTEGER NOT NULL,
    trace_ids BLOB NOT NULL
  );
  CREATE VIEW calls AS
    SELECT c.id, datetime(c.end_s, 'unixepoch') || printf('.%09d', c.end_ns) AS ended_at,
      s.name AS service, s.environment, o.service_version, e.method, e.route, c.status,
      c.duration_ns / 1e6 AS duration_ms, cl.address AS client, o.consumer, o.agent, o.bot, o.error_type,
      c.request_bytes, c.response_bytes,
      (SELECT lower(hex(substr(k.trace_ids, (c.id - k.first_call_id) * 16 + 1, 16)))
        FROM call_commit k WHERE k.first_call_id <= c.id ORDER BY k.first_call_id DESC LIMIT 1) AS trace_id
    FROM call c
    JOIN endpoint e ON e.id = c.endpoint_id
    JOIN service s ON s.id = e.service_id
    JOIN origin o ON o.id = c.origin_id
    LEFT JOIN client cl ON cl.id = c.client_id;

  -- Digests of the requests of this hour and the last one, by the hour's parity: forgetting an hour is
  -- emptying a table.
  CREATE TABLE delivery_even (project_id INTEGER, digest BLOB, received_s INTEGER NOT NULL,
    PRIMARY KEY (project_id, digest)) WITHOUT ROWID;
  CREATE TABLE delivery_odd (project_id INTEGER, digest BLOB, received_s INTEGER NOT NULL,
    PRIMARY KEY (project_id, digest)) WITHOUT ROWID;

  -- Usage (core/store/sqlite/usage/usage-block.ts) that is rolled up and not settled into levels yet.
  CREATE TABLE usage_run (
    id INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    block BLOB NOT NULL,
    facts BLOB NOT NULL
  );
  CREATE INDEX usage_run_by_shard ON usage_run (shard, tier);
  -- Settled usage: one row for a level's bucket and a shard of endpoints.
  CREATE TABLE usage_block (
    level INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    block BLOB NOT NULL,
    PRIMARY KEY (level, minute, shard)
  ) WITHOUT ROWID;
  -- Counts the changes of a shard's blocks, so that a reader knows which merged blocks still hold.
  CREATE TABLE usage_shard (shard INTEGER PRIMARY KEY, version INTEGER NOT NULL);
  `,
  // Sampling: calls that stand for another number of calls than one (core/weight.ts).
  `
  CREATE TABLE call_weight (
    call_id INTEGER PRIMARY KEY,
    weight REAL NOT NULL,
    copies INTEGER NOT NULL -- the weight as a whole number, for histograms
  );
  -- lifetime_calls and lifetime_errors count spans; these are what the spans stood for besides, estimated.
  ALTER TABLE endpoint ADD COLUMN unseen_calls REAL NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN unseen_errors REAL NOT NULL DEFAULT 0;
  ALTER TABLE endpoint ADD COLUMN sampled_ms INTEGER; -- the newest call with a weight
  DROP VIEW calls;
  CREATE VIEW calls AS
    SELECT c.id, datetime(c.end_s, 'unixepoch') || printf('.%09d', c.end_ns) AS ended_at,
      s.name AS service, s.environment, o.service_version, e.method, e.route, c.status,
      c.duration_ns / 1e6 AS duration_ms, cl.address AS client, o.consumer, o.agent, o.bot, o.error_type,
      c.request_bytes, c.response_bytes,
      (SELECT lower(hex(substr(k.trace_ids, (c.id - k.first_call_id) * 16 + 1, 16)))
        FROM call_commit k WHERE k.first_call_id <= c.id ORDER BY k.first_call_id DESC LIMIT 1) AS trace_id,
      ifnull(w.weight, 1) AS weight
    FROM call c
    JOIN endpoint e ON e.id = c.endpoint_id
    JOIN service s ON s.id = e.service_id
    JOIN origin o ON o.id = c.origin_id
    LEFT JOIN client cl ON cl.id = c.client_id
    LEFT JOIN call_weight w ON w.call_id = c.id;
  `,
  `
  -- Keys by which requests say whose they are (core/key.ts). Of a key only its SHA-256 is here, of a revoked
  -- one not even that.
  CREATE TABLE access_key (
    id TEXT PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project,
    scope TEXT NOT NULL,
    digest BLOB UNIQUE,
    prefix TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    rotated_s INTEGER,
    last_used_s INTEGER,
    revoked_s INTEGER
  );
  CREATE INDEX access_key_by_project ON access_key (project_id);
  INSERT INTO meta VALUES ('keys_changed', 0); -- counts the changes of which keys are good
  INSERT OR IGNORE INTO project (name) VALUES ('default');
  `,
  `
  -- The service's own spelling of the route, as last seen (core/route/display.ts); '' where it is \`route\`.
  ALTER TABLE endpoint ADD COLUMN display TEXT NOT NULL DEFAULT '';
  INSERT INTO meta VALUES ('displays_changed', 0); -- counts the changes of rows that reports remember
  -- A call whose duration is no latency has -1 (ROLLCALL_EXCLUDE_LATENCY).
  DROP VIEW calls;
  CREATE VIEW calls AS
    SELECT c.id, datetime(c.end_s, 'unixepoch') || printf('.%09d', c.end_ns) AS ended_at,
      s.name AS service, s.environment, o.service_version, e.method, e.route, c.status,
      iif(c.duration_ns < 0, NULL, c.duration_ns / 1e6) AS duration_ms, cl.address AS client, o.consumer,
      o.agent, o.bot, o.error_type, c.request_bytes, c.response_bytes,
      (SELECT lower(hex(substr(k.trace_ids, (c.id - k.first_call_id) * 16 + 1, 16)))
        FROM call_commit k WHERE k.first_call_id <= c.id ORDER BY k.first_call_id DESC LIMIT 1) AS trace_id,
      ifnull(w.weight, 1) AS weight
    FROM call c
    JOIN endpoint e ON e.id = c.endpoint_id
    JOIN service s ON s.id = e.service_id
    JOIN origin o ON o.id = c.origin_id
    LEFT JOIN client cl ON cl.id = c.client_id
    LEFT JOIN call_weight w ON w.call_id = c.id;
  `,
  `
  -- Digests of requests, 16 bytes each: one row a commit and project (deliveries.ts).
  CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL,
    received_s INTEGER NOT NULL,
    digests BLOB NOT NULL
  );
  INSERT INTO delivery (project_id, received_s, digests)
    SELECT project_id, received_s, digest FROM delivery_even UNION ALL
    SELECT project_id, received_s, digest FROM delivery_odd ORDER BY received_s;
  DROP TABLE delivery_even;
  DROP TABLE delivery_odd;
  `,
  `
  -- Nothing but refused calls speak for this made-up route so far (collector/extract/endpoint/early-status.ts).
  ALTER TABLE endpoint ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Routes that a service declares (core/store/inventory.ts): one row a version. The environment is null for
  -- all of them.
  CREATE TABLE inventory (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project,
    service TEXT NOT NULL,
    environment TEXT,
    version INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    format TEXT NOT NULL,
    declared_routes INTEGER NOT NULL,
    added_routes INTEGER NOT NULL,
    removed_routes INTEGER NOT NULL,
    content BLOB NOT NULL -- gzip of JSON: routes, prefixes, former routes
  );
  CREATE INDEX inventory_by_place ON inventory (project_id, service, environment, version);
  `,
  `
  -- A stored level is named by the minutes of its buckets (core/store/sqlite/usage/levels.ts), no longer by its
  -- place in the program's list. From the coarsest on: no number is still in use as a place when a level takes it.
  UPDATE usage_block SET level = 92160 WHERE level = 5;
  UPDATE usage_block SET level = 11520 WHERE level = 4;
  UPDATE usage_block SET level = 1440 WHERE level = 3;
  UPDATE usage_block SET level = 360 WHERE level = 2;
  UPDATE usage_block SET level = 60 WHERE level = 1;
  UPDATE usage_block SET level = 1 WHERE level = 0;
  ALTER TABLE usage_block RENAME COLUMN level TO level_minutes;
  UPDATE usage_shard SET version = version + 1;
  -- The first compacted minute, and the one after the last.
  UPDATE meta SET key = 'compacted_from' WHERE key = 'settled_from';
  UPDATE meta SET key = 'compacted_to' WHERE key = 'settled_to';
  `,
  (db) => {
    db.exec(spellingTables);
    joinSpellings(db);
  },
  `
  -- Raw calls in columns (core/store/sqlite/calls/). A call's id is the id of its row's first call and its place
  -- among the row's calls; an id is never given twice. Each call is in one commit or in one block.
  -- The calls of one commit:
  CREATE TABLE commit_calls (
    first_call_id INTEGER PRIMARY KEY,
    calls INTEGER NOT NULL,
    committed_s INTEGER NOT NULL,
    columns BLOB NOT NULL, -- commit-columns.ts
    trace_ids BLOB NOT NULL -- 16 bytes a call
  );
  -- The calls of many commits, compacted:
  CREATE TABLE call_block (
    first_call_id INTEGER PRIMARY KEY,
    calls INTEGER NOT NULL,
    committed_s INTEGER NOT NULL, -- of its last commit
    summary BLOB NOT NULL -- block-summary.ts
  );
  -- The columns and filters of a block (call-block.ts). The id is 64 * first_call_id + the part's number, so the
  -- parts of a block are neighbours.
  CREATE TABLE call_block_part (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  INSERT INTO meta VALUES ('calls_from', 0); -- calls with a smaller id are past their retention
  `,
  recordOutcomes,
  (db) => {
    db.exec(useTables);
    fillUse(db);
  },
  `
  -- Who calls, by the texts in \`origin\`: the consumer that a span names, else the product of its user agent.
  CREATE TABLE consumer (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    is_agent INTEGER NOT NULL,
    UNIQUE (name, is_agent)
  );
  INSERT INTO consumer (name, is_agent)
    SELECT DISTINCT iif(consumer = '', agent, consumer), consumer = '' FROM origin;
  -- Calls by version and consumer (core/store/sqlite/usage/details.ts). Last, so that to read a block is not to
  -- read its details.
  ALTER TABLE usage_run ADD COLUMN details BLOB;
  ALTER TABLE usage_block ADD COLUMN details BLOB;
  `,
  `
  -- Decisions of people on endpoints: the newest row of a place holds, the others are its history.
  CREATE TABLE decision (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    service TEXT NOT NULL,
    environment TEXT, -- null: every environment without a decision of its own
    shape TEXT NOT NULL, -- method and shape of the route (core/store/decisions.ts)
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    action TEXT, -- null: withdrawn
    reason TEXT NOT NULL,
    until_ms INTEGER,
    decided_by TEXT NOT NULL,
    decided_ms INTEGER NOT NULL,
    last_answered_ms INTEGER,
    callers TEXT NOT NULL -- JSON
  );
  CREATE INDEX decision_place ON decision (project_id, service, environment, shape);
  `,
  `
  -- Store time (core/store/store-clock.ts): in a store that has calls it begins at the newest commit.
  INSERT INTO meta SELECT 'clock_s', coalesce(
    (SELECT max(committed_s) FROM call_commit),
    (SELECT value * 60 FROM meta WHERE key = 'compacted_to'));
  INSERT INTO meta VALUES ('clock_held_for_s', 0), ('clock_ahead_s', 0);
  -- Usage of the minutes before may be deleted, or was never written: \`minutes_from\` and the others can come down
  -- to it (writer/purger.ts). Nothing later than the newest commit can have been deleted.
  INSERT INTO meta SELECT replace(key, '_from', '_purged'),
    min(value, ((SELECT value FROM meta WHERE key = 'clock_s') / 86400 + 1) * 1440) FROM meta
    WHERE key IN ('minutes_from', 'hours_from', 'days_from');
  `,
  `
  -- Routes that services declare over OTLP (core/store/live-routes.ts): the newest declaration of each process.
  CREATE TABLE declaration (
    project_id INTEGER NOT NULL REFERENCES project (id),
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    version TEXT NOT NULL,
    instance TEXT NOT NULL,
    digest TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE (project_id, service, environment, version, instance)
  );
  CREATE TABLE declaration_content (digest TEXT PRIMARY KEY, routes BLOB NOT NULL) WITHOUT ROWID; -- gzip of JSON
  -- Parts of declarations whose other parts have not come yet.
  CREATE TABLE declaration_part (
    project_id INTEGER NOT NULL REFERENCES project (id),
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    instance TEXT NOT NULL,
    set_id TEXT NOT NULL,
    part INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    content TEXT NOT NULL, -- JSON
    UNIQUE (project_id, service, environment, instance, set_id, part)
  );
  -- The inventories that the declarations make together; columns as of inventory.
  CREATE TABLE otlp_inventory (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project (id),
    service TEXT NOT NULL,
    environment TEXT,
    version INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    format TEXT NOT NULL,
    declared_routes INTEGER NOT NULL,
    added_routes INTEGER NOT NULL,
    removed_routes INTEGER NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (project_id, service, environment, version)
  );
  `,
  `
  -- Totals of a project's snapshot of a day; a snapshot whose verdicts are unchanged is this one row.
  CREATE TABLE verdict_day (
    project_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    counts TEXT NOT NULL, -- JSON: endpoints by status
    PRIMARY KEY (project_id, day)
  ) WITHOUT ROWID;
  -- Changes of verdicts, by the endpoint's id outside of the engine.
  CREATE TABLE verdict_change (
    project_id INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    day INTEGER NOT NULL,
    status TEXT,
    confidence REAL,
    PRIMARY KEY (project_id, endpoint, day)
  ) WITHOUT ROWID;
  CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    as_of_ms INTEGER NOT NULL,
    body BLOB NOT NULL, -- gzip of JSON
    UNIQUE (project_id, endpoint, as_of_ms)
  );
  `,
  `
  -- What people write down about the consumers of a project (core/store/annotations/consumers.ts).
  CREATE TABLE consumer_note (
    project_id INTEGER NOT NULL REFERENCES project,
    consumer TEXT NOT NULL,
    display_name TEXT NOT NULL,
    group_name TEXT NOT NULL,
    contact TEXT NOT NULL,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (project_id, consumer)
  ) WITHOUT ROWID;
  -- A span that names no consumer has its agent's product for one.
  INSERT OR IGNORE INTO consumer (name, is_agent)
    SELECT DISTINCT agent, 1 FROM origin WHERE consumer IN ('', agent);
  `,
  `
  -- Counts the endpoints that were forgotten (forgotten.ts): the writer then drops the rows that it remembers.
  INSERT INTO meta VALUES ('endpoints_forgotten', 0);
  `,
  usageChecksums,
  `
  -- What spans say of endpoints beside their calls. Permanent, as the endpoint's row is.
  CREATE TABLE endpoint_trait (
    endpoint_id INTEGER PRIMARY KEY,
    traits TEXT NOT NULL -- JSON (core/endpoint-traits.ts)
  );
  `,
  `
  -- What happened, as people and deployment pipelines told it (core/store/annotations/events.ts).
  CREATE TABLE told_event (
    project_id INTEGER NOT NULL REFERENCES project,
    id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    service TEXT, -- null: every service
    environment TEXT, -- null: every environment
    version TEXT,
    link TEXT,
    told_ms INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
  ) WITHOUT ROWID;
  `,
  `
  -- The day (since the epoch, UTC) on which a client and a call's context were used last (writer/unused-dimensions.ts).
  CREATE TABLE client_seen (id INTEGER PRIMARY KEY, day INTEGER NOT NULL);
  CREATE TABLE origin_seen (id INTEGER PRIMARY KEY, day INTEGER NOT NULL);
  `,
  `
  -- What arrived at the collector in the last days, counted or not (core/store/arrivals.ts).
  CREATE TABLE arrival (
    project_id INTEGER NOT NULL REFERENCES project,
    day INTEGER NOT NULL, -- since the epoch
    service TEXT NOT NULL, -- empty for requests, which belong to no service
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (project_id, day, service, outcome, reason)
  ) WITHOUT ROWID;
  `,
  `
  -- Services that called endpoints (core/store/callers/internal-callers.ts).
  CREATE TABLE internal_caller (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project,
    service TEXT NOT NULL,
    environment TEXT NOT NULL, -- empty when unknown
    UNIQUE (project_id, service, environment)
  );
  CREATE TABLE internal_call (
    endpoint_id INTEGER NOT NULL,
    hour INTEGER NOT NULL, -- since the epoch; a day's first hour for whole days
    caller_id INTEGER NOT NULL,
    evidence INTEGER NOT NULL, -- 0: the trace, 1: an attribute of the span
    calls REAL NOT NULL,
    errors REAL NOT NULL,
    named REAL NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, hour, caller_id, evidence)
  ) WITHOUT ROWID;
  `,
];

/** SQL, or a step that needs rules of core/store. */
type Migration = string | ((db: Database) => void);

export const schemaVersion = migrations.length;

/**
 * Brings the file up to this program's schema, all steps or none.
 * @param steps how many migrations to have run in the end; less than all only in tests
 * @throws AppError `conflict` for a file that a newer program wrote
 */
export function migrate(db: Database, steps = schemaVersion): void {
  const version = (): number => db.pragma('user_version') as number;
  if (version() === steps) return;
  db.immediately(() => {
    const from = version();
    if (from > schemaVersion) {
      throw new AppError(
        'conflict',
        `store ${db.path} has schema version ${from}, this program knows versions up to ${schemaVersion}: it was written by a newer Rollcall`,
      );
    }
    for (const step of migrations.slice(from, steps)) {
      if (typeof step === 'string') db.exec(step);
      else step(db);
    }
    if (from < steps) db.pragma(`user_version = ${steps}`);
  });
}
