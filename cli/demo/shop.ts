/**
 * The made-up shop: six services with the route spellings of six frameworks. Each endpoint has its traffic, and
 * some have a fault. Data only; cli/demo/traffic.ts makes spans of it.
 */
export interface ShopService {
  name: string;
  /** `telemetry.sdk.language`. */
  language: string;
  /** Attribute names of before 2023, as Python's instrumentation still sends by default. */
  oldNames?: boolean;
  /** Days between two releases. */
  releaseDays: number;
  endpoints: ShopEndpoint[];
}

export interface ShopEndpoint {
  method: string;
  /** As the service's framework spells it. */
  route: string;
  /** Calls on an average day of today; the shop had a third of them three months ago. */
  daily: number;
  medianMs: number;
  callers: CallerKind;
  /** Status of a success; 200 by default. */
  status?: number;
  /** By status: the share of calls that end with it instead. */
  failures?: Record<number, number>;
  /** Days before today of the first and the last call. */
  sinceDay?: number;
  untilDay?: number;
  /** Called once on the first of each month, at 02:00 UTC; `daily` is ignored. */
  monthly?: true;
}

export type CallerKind = 'shopper' | 'app' | 'partner' | 'staff' | 'service' | 'cron' | 'crawler';

/** How many days the history goes back. */
export const historyDays = 90;

/** How long ago the version 1 API was switched off: dead by any threshold up to this. */
const v1UntilDay = 45;
const v1 = { untilDay: v1UntilDay, callers: 'partner' } as const;
const missing = { 404: 0.03 };

// biome-ignore format: a table is read by its lines
export const shop: readonly ShopService[] = [
  {
    name: 'storefront',
    language: 'nodejs',
    releaseDays: 6,
    endpoints: [
      { method: 'GET', route: '/', daily: 420, medianMs: 24, callers: 'shopper' },
      { method: 'GET', route: '/products/:slug', daily: 780, medianMs: 38, callers: 'shopper', failures: missing },
      { method: 'HEAD', route: '/products/:slug', daily: 40, medianMs: 9, callers: 'crawler' },
      { method: 'GET', route: '/categories/:slug', daily: 350, medianMs: 45, callers: 'shopper' },
      { method: 'GET', route: '/cart', daily: 210, medianMs: 19, callers: 'shopper' },
      { method: 'POST', route: '/cart/items', daily: 130, medianMs: 31, callers: 'shopper', status: 201, failures: { 409: 0.04 } },
      { method: 'DELETE', route: '/cart/items/:itemId', daily: 35, medianMs: 22, callers: 'shopper', status: 204 },
      { method: 'GET', route: '/checkout', daily: 60, medianMs: 52, callers: 'shopper' },
      { method: 'POST', route: '/checkout', daily: 45, medianMs: 310, callers: 'shopper', status: 303, failures: { 402: 0.06, 500: 0.01 } },
      { method: 'GET', route: '/sitemap.xml', daily: 30, medianMs: 120, callers: 'crawler' },
      { method: 'GET', route: '/robots.txt', daily: 55, medianMs: 2, callers: 'crawler' },
      { method: 'GET', route: '/campaigns/summer', daily: 25, medianMs: 30, callers: 'shopper', untilDay: 12 },
    ],
  },
  {
    name: 'catalog',
    language: 'python',
    oldNames: true,
    releaseDays: 14,
    endpoints: [
      { method: 'GET', route: '/api/v2/products', daily: 390, medianMs: 42, callers: 'app' },
      { method: 'GET', route: '/api/v2/products/{product_id}', daily: 610, medianMs: 16, callers: 'app', failures: missing },
      { method: 'GET', route: '/api/v2/products/{product_id}/stock', daily: 260, medianMs: 8, callers: 'service' },
      { method: 'GET', route: '/api/v2/products/{product_id}/reviews', daily: 150, medianMs: 27, callers: 'app' },
      { method: 'POST', route: '/api/v2/products/{product_id}/reviews', daily: 9, medianMs: 64, callers: 'app', status: 201, failures: { 422: 0.12 } },
      { method: 'GET', route: '/api/v2/categories', daily: 90, medianMs: 12, callers: 'app' },
      { method: 'PUT', route: '/api/v2/products/{product_id}', daily: 14, medianMs: 55, callers: 'staff' },
      { method: 'PATCH', route: '/api/v2/products/{product_id}/price', daily: 22, medianMs: 41, callers: 'staff', failures: { 403: 0.05 } },
      { method: 'POST', route: '/api/v2/imports', daily: 3, medianMs: 2600, callers: 'partner', status: 202 },
      { method: 'GET', route: '/api/v1/products', daily: 70, medianMs: 95, ...v1 },
      { method: 'GET', route: '/api/v1/products/{product_id}', daily: 110, medianMs: 60, ...v1, failures: missing },
      { method: 'GET', route: '/api/v1/categories', daily: 20, medianMs: 30, ...v1 },
    ],
  },
  {
    name: 'search',
    language: 'nodejs',
    releaseDays: 10,
    endpoints: [
      { method: 'GET', route: '/search', daily: 340, medianMs: 88, callers: 'shopper', failures: { 400: 0.01 } },
      { method: 'GET', route: '/suggest', daily: 520, medianMs: 11, callers: 'shopper' },
      { method: 'GET', route: '/similar/:productId', daily: 120, medianMs: 70, callers: 'app', sinceDay: 5 },
      { method: 'POST', route: '/index/:productId', daily: 26, medianMs: 33, callers: 'service', status: 202 },
      { method: 'DELETE', route: '/index/:productId', daily: 2, medianMs: 18, callers: 'service', status: 204 },
    ],
  },
  {
    name: 'orders',
    language: 'java',
    releaseDays: 18,
    endpoints: [
      { method: 'GET', route: '/api/v2/orders', daily: 95, medianMs: 36, callers: 'app', failures: { 401: 0.02 } },
      { method: 'POST', route: '/api/v2/orders', daily: 48, medianMs: 140, callers: 'service', status: 201, failures: { 409: 0.02 } },
      { method: 'GET', route: '/api/v2/orders/{orderId}', daily: 160, medianMs: 21, callers: 'app', failures: missing },
      { method: 'PATCH', route: '/api/v2/orders/{orderId}', daily: 17, medianMs: 60, callers: 'staff' },
      { method: 'POST', route: '/api/v2/orders/{orderId}/cancel', daily: 5, medianMs: 75, callers: 'app', failures: { 409: 0.2 } },
      { method: 'GET', route: '/api/v2/orders/{orderId}/invoice', daily: 33, medianMs: 240, callers: 'app' },
      { method: 'GET', route: '/api/v2/orders/{orderId}/shipments', daily: 52, medianMs: 34, callers: 'app' },
      { method: 'POST', route: '/api/v2/shipments/{shipmentId}/events', daily: 70, medianMs: 15, callers: 'partner', status: 202 },
      // The slow endpoint: a dashboard requests a report that reads everything.
      { method: 'GET', route: '/api/v2/reports/sales', daily: 24, medianMs: 4200, callers: 'staff', failures: { 504: 0.08 } },
      { method: 'GET', route: '/api/v2/reports/returns', daily: 6, medianMs: 900, callers: 'staff' },
      { method: 'POST', route: '/api/v2/returns', daily: 7, medianMs: 85, callers: 'app', status: 201 },
      { method: 'GET', route: '/api/v1/orders', daily: 45, medianMs: 80, ...v1 },
      { method: 'GET', route: '/api/v1/orders/{orderId}', daily: 60, medianMs: 50, ...v1, failures: missing },
      { method: 'POST', route: '/api/v1/orders', daily: 18, medianMs: 210, ...v1, status: 201, failures: { 400: 0.07 } },
    ],
  },
  {
    name: 'payments',
    language: 'go',
    releaseDays: 25,
    endpoints: [
      { method: 'POST', route: '/payments', daily: 46, medianMs: 380, callers: 'service', status: 201, failures: { 402: 0.07 } },
      { method: 'GET', route: '/payments/{id}', daily: 88, medianMs: 9, callers: 'service', failures: missing },
      { method: 'POST', route: '/payments/{id}/capture', daily: 42, medianMs: 260, callers: 'service' },
      // The failing endpoint: the bank's API is broken.
      { method: 'POST', route: '/payments/{id}/refunds', daily: 19, medianMs: 1500, callers: 'staff', status: 201, failures: { 502: 0.34, 504: 0.08 } },
      { method: 'POST', route: '/webhooks/bank', daily: 64, medianMs: 14, callers: 'partner', status: 204, failures: { 401: 0.01 } },
      { method: 'GET', route: '/methods', daily: 58, medianMs: 6, callers: 'app' },
      { method: 'POST', route: '/settlements', daily: 0, medianMs: 9000, callers: 'cron', status: 202, monthly: true },
      { method: 'GET', route: '/vouchers/{code}', daily: 12, medianMs: 12, callers: 'app', untilDay: 68, failures: { 404: 0.4 } },
    ],
  },
  {
    name: 'accounts',
    language: 'python',
    oldNames: true,
    releaseDays: 21,
    endpoints: [
      { method: 'POST', route: '/login', daily: 82, medianMs: 190, callers: 'shopper', failures: { 401: 0.14, 429: 0.02 } },
      { method: 'POST', route: '/logout', daily: 20, medianMs: 12, callers: 'shopper', status: 204 },
      { method: 'POST', route: '/users', daily: 8, medianMs: 230, callers: 'shopper', status: 201, failures: { 409: 0.06 } },
      { method: 'GET', route: '/users/<int:user_id>', daily: 130, medianMs: 11, callers: 'service', failures: missing },
      { method: 'PATCH', route: '/users/<int:user_id>', daily: 7, medianMs: 40, callers: 'app' },
      { method: 'GET', route: '/users/<int:user_id>/addresses', daily: 66, medianMs: 13, callers: 'app' },
      { method: 'POST', route: '/users/<int:user_id>/addresses', daily: 6, medianMs: 37, callers: 'app', status: 201 },
      { method: 'DELETE', route: '/users/<int:user_id>', daily: 1, medianMs: 320, callers: 'staff', status: 204 },
      { method: 'POST', route: '/password-resets', daily: 5, medianMs: 160, callers: 'shopper', status: 202 },
      { method: 'GET', route: '/health', daily: 144, medianMs: 1, callers: 'cron' },
    ],
  },
];
