/**
 * Routes as 32 public APIs have them, written down by hand from their documentation; what stands in braces
 * is a kind of value of test/corpus/values.ts. Every second API is held out: rules of
 * core/route-template.ts are never tuned on it.
 */
export const apis: Record<string, string> = {
  github: `/repos/{login}/{project}/issues/{number} /repos/{login}/{project}/commits/{sha} /users/{login}
    /repos/{login}/{project}/pulls/{number}/files /user/repos /search/repositories /rate_limit /gists/{hex32}
    /repos/{login}/{project}/actions/runs/{snowflake}/jobs /orgs/{login}/members /notifications/threads/{snowflake}`,
  stripe: `/v1/customers /v1/customers/{prefixed} /v1/charges/{prefixed}/refunds /v1/payment_intents/{prefixed}/confirm
    /v1/subscriptions/{prefixed} /v1/invoices/upcoming /v1/invoices/{prefixed}/pay /v1/balance_transactions /v1/events/{prefixed}`,
  gitlab: `/api/v4/projects/{number} /api/v4/projects/{number}/merge_requests/{number}/notes /api/v4/groups/{number}/members
    /api/v4/projects/{number}/repository/commits/{sha} /api/v4/users/{number}/keys /api/v4/version /api/v4/projects/{number}/jobs/{number}/artifacts`,
  slack: `/api/chat.postMessage /api/conversations.list /api/users.info /api/auth.test /services/{upperid}/{upperid}/{base62}
    /api/files.upload /api/oauth.v2.access /actions/{upperid}/{snowflake}/{base62}`,
  twilio: `/2010-04-01/Accounts/{sid}/Messages.json /2010-04-01/Accounts/{sid}/Calls/{sid}.json /v2/Services/{sid}/Verifications
    /2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json /v1/PhoneNumbers/{phone} /2010-04-01/Accounts.json`,
  spotify: `/v1/albums/{base62x22} /v1/albums/{base62x22}/tracks /v1/me /v1/me/player/recently-played /v1/playlists/{base62x22}/tracks
    /v1/browse/new-releases /v1/artists/{base62x22}/top-tracks /v1/audio-features/{base62x22} /v1/users/{login}/playlists`,
  discord: `/api/v10/channels/{snowflake}/messages/{snowflake} /api/v10/guilds/{snowflake}/members/{snowflake} /api/v10/users/@me/guilds
    /api/v10/webhooks/{snowflake}/{token} /api/v10/gateway/bot /api/v10/channels/{snowflake}/pins /api/v10/users/{snowflake}`,
  jira: `/rest/api/3/issue/{ticket} /rest/api/3/issue/{ticket}/comment/{number} /rest/api/3/project/search /rest/api/3/myself
    /rest/agile/1.0/board/{number}/sprint /rest/api/3/filter/{number} /rest/api/3/issue/{ticket}/transitions /rest/api/3/field`,
  shopify: `/admin/api/2024-01/products.json /admin/api/2024-01/products/{snowflake}.json /admin/api/2024-01/orders/{snowflake}/fulfillments.json
    /admin/api/2024-01/customers/search.json /admin/oauth/access_token /collections/{slug}/products/{slug} /cart /cart/add.js`,
  kubernetes: `/api/v1/namespaces/{namespace}/pods /api/v1/namespaces/{namespace}/pods/{pod} /apis/apps/v1/namespaces/{namespace}/deployments/{namespace}
    /api/v1/nodes/{host} /healthz /apis/batch/v1/jobs /api/v1/namespaces/{namespace}/pods/{pod}/log /version`,
  registry: `/v2/{project}/manifests/{version} /v2/{project}/blobs/{digest} /v2/_catalog /v2/{project}/tags/list /v2 /v2/{project}/blobs/uploads/{uuid}`,
  reddit: `/r/{project}/comments/{base36}/{slug} /r/{project}/hot.json /api/v1/me /user/{login}/about.json /api/submit /api/vote /by_id/{base36}`,
  twitter: `/2/tweets /2/tweets/{snowflake} /2/users/{snowflake}/followers /2/users/by/username/{login} /2/tweets/search/recent
    /1.1/statuses/show/{snowflake}.json /1.1/account/verify_credentials.json /2/users/me`,
  tmdb: `/3/movie/{number} /3/movie/{number}/credits /3/movie/popular /3/tv/{number}/season/{small}/episode/{small} /3/search/multi
    /3/person/{number}/images /3/configuration /3/genre/movie/list /3/trending/movie/week`,
  openai: `/v1/chat/completions /v1/models /v1/models/{model} /v1/files/{token}/content /v1/threads/{token}/runs/{token} /v1/images/generations /v1/fine_tuning/jobs/{token}/events`,
  sendgrid: `/v3/mail/send /v3/marketing/contacts/{uuid} /v3/templates/{uuid}/versions/{uuid} /v3/suppression/bounces/{email} /v3/user/profile /v3/asm/groups/{number}/suppressions`,
  notion: `/v1/pages/{uuid} /v1/databases/{hex32}/query /v1/blocks/{uuid}/children /v1/users/me /v1/search /v1/comments`,
  trello: `/1/boards/{hex24} /1/boards/{hex24}/lists /1/cards/{hex24}/actions/comments /1/members/me /1/cards/{base62x8} /1/search /1/tokens/{hex64}/webhooks`,
  asana: `/api/1.0/tasks/{snowflake} /api/1.0/projects/{snowflake}/sections /api/1.0/workspaces/{snowflake}/typeahead /api/1.0/users/me /api/1.0/tasks/{snowflake}/setParent`,
  zendesk: `/api/v2/tickets/{number}.json /api/v2/tickets/{number}/comments.json /api/v2/users/me.json /api/v2/search.json /api/v2/help_center/{locale}/articles/{snowflake}.json /hc/{locale}/articles/{titled}`,
  salesforce: `/services/data/v58.0/sobjects/Account/{sfid} /services/data/v58.0/query /services/data/v58.0/sobjects/Contact/describe /services/oauth2/token /services/data/v58.0/composite/batch /services/apexrest/orders/{number}`,
  auth0: `/oauth/token /userinfo /api/v2/users/{authid} /api/v2/clients/{base62x32} /.well-known/jwks.json /api/v2/users-by-email /dbconnections/change_password /u/login`,
  cloudflare: `/client/v4/zones/{hex32} /client/v4/zones/{hex32}/dns_records/{hex32} /client/v4/accounts/{hex32}/workers/scripts/{namespace} /client/v4/user/tokens/verify /client/v4/ips`,
  sentry: `/api/0/organizations/{namespace}/issues/{number} /api/0/projects/{namespace}/{namespace}/events/{hex32} /api/0/organizations /api/{snowflake}/envelope /api/{snowflake}/store /_health`,
  elasticsearch: `/_cluster/health /{index}/_search /{index}/_doc/{base62x20} /_cat/indices /_bulk /{index}/_mapping /_snapshot/{namespace}/{namespace}`,
  fhir: `/fhir/Patient/{uuid} /fhir/Observation /fhir/Patient/{number}/_history/{small} /fhir/metadata /fhir/Encounter/{uuid}/$everything /fhir/Practitioner/{number}`,
  wordpress: `/wp-json/wp/v2/posts/{number} /wp-json/wp/v2/users/me /{year}/{month}/{slug} /wp-login.php /wp-admin/admin-ajax.php /wp-content/uploads/{year}/{month}/{image} /category/{word} /feed /xmlrpc.php /author/{login}`,
  wiki: `/wiki/{title} /w/index.php /w/api.php /api/rest_v1/page/summary/{title} /api/rest_v1/page/html/{title}/{number} /wiki/Special:Search /static/images/{image}`,
  shop: `/ /products /products/{number} /products/{sku}/reviews /cart/items/{uuid} /checkout/{token}/payment /orders/{ulid}/invoice.pdf
    /assets/{bundle} /{bundle} /images/products/{image} /account/addresses/{number}/edit /search/{phrase} /coupons/{coupon}`,
  fleet: `/vehicles/{vin} /vehicles/{vin}/positions/{date} /tracks/{datetime} /drivers/{email}/shifts /geofences/{uuid} /rates/{currency} /countries/{country}/cities
    /sensors/{mac}/readings /devices/{ip} /reports/monthly/{yearmonth} /exports/{filename} /stats/last-30-days`,
  bank: `/accounts/{iban}/transactions /transfers/{ulid} /cards/{mongo}/freeze /statements/{yearmonth}.pdf /fx/{currency}/latest /customers/{number}/documents/{filename}
    /oauth2/authorize /v2/payments/{paymentref} /kyc/sessions/{jwt} /atm/near/{coordinates} /auth/forgot-password`,
  media: `/videos/{base62x11} /videos/{base62x11}/captions/{language} /channels/{handle}/videos /hls/{uuid}/{chunk} /live/{uuid}/index.m3u8 /thumbs/{base62x11}/{image}
    /podcasts/{slug}/episodes/{small} /embed/{base62x11} /search/suggest /tiles/{small}/{number}/{number}.png`,
};
