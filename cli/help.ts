import type { Variable } from '../core/config/variables.ts';
import { flagOf } from './flags.ts';

/** The text of `rollcall help`. */
export function help(variables: Record<string, Variable>): string {
  const lines = Object.entries(variables).map(([name, { fallback, meaning, secret }]) => {
    const preset = fallback === '' ? '' : ` [${fallback}]`;
    const spelling = secret === 'whole' ? name : `--${flagOf(name)}`;
    return `  ${spelling.padEnd(24)} ${meaning}${preset}`;
  });
  return `Rollcall: which endpoints of an API are used, slow, failing or dead, and who calls them.

usage: rollcall <command> [flags]

  serve       start collector and analyzer; npm start does this
  collector   start only the collector, which receives OTLP
  analyzer    start only the analyzer, which serves the REST API and the dashboard
  demo        start Rollcall on a temporary store with three months of made-up traffic
                --seed N   make up another shop [1]
                --once     exit when the history is counted
  keys        manage keys in the store, also while services run
                create --project NAME --scope ingest|read|admin
                               create a key, and the project if it is new; prints the key once
                list [--project NAME]
                rotate ID      replace the key's secret; prints the new secret once
                revoke ID      refuse the key, within a second
  inventory   declare the routes of a service, so that reports name what was never called
                put --service NAME --file FILE
                               an OpenAPI document, METHOD /route lines or a route printer's output
                    [--environment NAME] [--prefix /v1] [--author NAME] [--dry-run]
                show --service NAME [--environment NAME]
                remove --service NAME [--environment NAME]
                --url URL      of the analyzer [http://127.0.0.1:4380]; ROLLCALL_KEY holds the key
                --json         print the answer of the REST API
  decisions   keep, deprecate or remove endpoints by a file, rollcall.decisions.yaml
                export [--service NAME] [--environment NAME] [--file FILE]
                import [--file FILE] [--dry-run]
                    [--prune]  withdraw decisions on services of the file that it lacks
                --url URL      as for inventory; import needs a key of scope admin
  consumers   who calls, and who they are
                list [--window 30d] [--service NAME] [--environment NAME] [--method GET] [--route /v1/*]
                     [--agents all|people|bots] [--group NAME] [--limit N] [--json]
                set NAME [--display-name TEXT] [--group TEXT] [--contact TEXT]
                put --file FILE
                               YAML or JSON for many: "consumers:" with display_name, group, contact of each
                remove NAME    what was written down, not the calls
                --url URL      of the analyzer [http://127.0.0.1:4380]; ROLLCALL_KEY holds the key
  events      deployments and other events, which time series are shown with
                list [--window 30d] [--service NAME] [--environment NAME] [--limit N] [--json]
                add --kind WORD --title TEXT [--at TIME] [--service NAME] [--environment NAME]
                    [--version V] [--link URL]
                               prints the event's id
                remove ID
                --url URL      as for inventory; add and remove need a key of scope ingest or admin
  doctor      what arrived from whom in the last days, why something does not count, and what mends it
                [--json] [--url URL]
                               as for inventory; needs a key of scope read
  forget      forget what was observed by mistake; what is called again is new
                --endpoint ID  or --service NAME [--environment NAME]
                --url URL      as for inventory; needs a key of scope admin
                --client ADDRESS
                               take a client's address out of the store's file (--store) at once, also
                               while services run; its calls stay under a random name
  check       judge a specification by the calls that were seen; for CI (docs/gate.md)
                --service NAME --spec FILE [--base-spec FILE] [--environment NAME]
                --fail-on KINDS of breaking, removal-before-deprecation, dead, undocumented,
                               deprecated-used; none [breaking,removal-before-deprecation]
                --min-confidence N  of dead endpoints [0.9]
                --window 7d    of calls
                --format NAME  table, github, github-comment, gitlab, junit, sarif, json
                --baseline FILE [--write-baseline]
                               findings that are known and do not fail
                exit codes: 0 passes, 1 not judged, 2 wrong command line, 3 findings
  check       without these: read the whole store, also while services run, and name what is damaged
                exit codes: 0 all is intact, 1 something is damaged or cannot be read
  sql         ask the store's file in SQL, which cannot change it (docs/sql.md)
                "QUESTION"     one SELECT, in the tables and the table calls; - reads it from standard input
                --format NAME  table, csv, ndjson [table]
                --rows N       of the answer at most [1000]
                --seconds N    until the question is ended [30]
  calls       list raw calls, newest first (docs/calls.md)
                [--service NAME] [--environment NAME] [--window 1h] [--from TIME] [--to TIME]
                [--method GET] [--route /r] [--endpoint ID] [--status 5xx] [--client ADDRESS]
                [--consumer NAME] [--agent NAME] [--bot true|false] [--version V] [--error-type E]
                [--duration-min MS] [--duration-max MS] [--trace-id ID]
                [--sort ended_at|duration_ms] [--limit N]
                --follow       go on with each call that arrives
                --format table|json|csv|md|ndjson|parquet
                --output FILE  must not exist yet; ndjson and parquet hold every call of the search
                --url URL      of the analyzer, as for inventory
  backup      copy the store to one file, also while services run
                --to FILE      must not exist yet
  copy        copy a store to a new one on the other engine, and compare both (docs/clickhouse.md)
                --from STORE --to STORE, each sqlite:FILE or clickhouse://…; no collector may run
  restore     replace the store by a backup, while no service runs
                --from FILE
                --replace      delete the store that exists
  version     print the version
  help        print this text

Each flag is also an environment variable: --otlp-http-port is ROLLCALL_OTLP_HTTP_PORT. Secrets have no flag.

${lines.join('\n')}
`;
}
