/**
 * Collection words such as `users` and `tags`: the segment after one is a parameter value, even when it looks
 * like a literal, unless it is in `notNames` (`me`, `search`). Chosen from known APIs and the tuned half of
 * test/labs/corpus.
 */

const parents = new Set(
  `users user usernames username authors author orgs org organizations organisations namespaces namespace repos
   repositories r u tags tag categories category topics topic teams team workspaces crates packages package gems
   modules wiki environments buckets bucket indices indexes channels hashtags hashtag profiles profile
   subreddits countries country cities city regions languages language branches heads symbols symbol tickers
   ticker currencies currency prices rates domains domain zones scripts artists brands genres genre
   keywords collections podcasts blog blogs posts articles products recipes slug slugs name names
   handle handles deployments services configmaps secrets nodes statefulsets projects members
   people player players customers tenants tenant`
    .trim()
    .split(/\s+/),
);

/** Collections whose names have two segments: owner and repository. */
const doubleParents = new Set(['repos', 'repositories', 'gh', 'bb']);

/** Collections where only a segment of two or more words is a value: a single word may be part of the API. */
const weakParents = new Set(
  `user profile blog blogs posts articles products recipes collections podcasts projects members people player players customers
   channels services secrets nodes deployments configmaps statefulsets packages package modules indices
   indexes prices rates domains scripts name names teams team repositories languages`
    .trim()
    .split(/\s+/),
);

const notNames = new Set(
  `me self mine my current own whoami all any none new create add edit update delete remove destroy save submit
   search find filter query lookup suggest autocomplete list lists index count counts total totals stats statistics
   status state health ping info about details detail summary report reports overview latest recent newest oldest
   popular trending top hot best rising featured active inactive archived archive deleted draft drafts pending
   public private shared default first last next previous prev random bulk batch many import export upload uploads
   download downloads validate verify verification confirm check test preview publish unpublish sync refresh login
   logout signin signout signup register registration session sessions auth oauth oauth2 token tokens password
   passwords forgot reset invite invites invitation invitations activate deactivate enable disable settings
   setting config configuration preferences options permissions roles role groups group profile avatar by with
   from to in history events event logs log audit activity feed notifications metadata meta schema schemas types type
   fields properties tree browse explore discover map maps help docs api rest graphql root home admin login
   locale locales language languages translate bans ban favorites followers following friends contacts messages
   comments likes tags categories products users items orders posts pages images files videos media primary
   standard custom global local internal external compare merge clone copy move transfer sort order reorder
   rpc v1 v2 v3 tokens keys apikeys secrets billing plans pricing payments invoices subscriptions webhooks hooks
   confirmation unlock emails email phone phones address addresses gists starred blocks memberships hooks wallet
   balance cards cart wishlist devices sessions picture photo bio security feedback teams team members member
   sitemap robots manifest favicon static assets public dist build`
    .trim()
    .split(/\s+/),
);

/**
 * Whether a segment that looks like a literal is a parameter value.
 * @param parent the segment before, as templated
 * @param grandparent the segment before `parent`
 */
export function isNamed(segment: string, parent: string, grandparent: string): boolean {
  const lower = segment.toLowerCase();
  const words = lower.split(/[-_.]+/);
  if (!/^[a-z]/.test(lower) || words.some((word) => notNames.has(word))) return false;
  if (parents.has(lower)) return false;
  const above = parent.toLowerCase();
  if (above === '{id}') return doubleParents.has(grandparent.toLowerCase());
  if (!parents.has(above)) return false;
  return words.length > 1 || !weakParents.has(above);
}
