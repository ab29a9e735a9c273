/** Every page of the dashboard, and its views. */
export const paths = [
  '/',
  '/endpoints',
  '/dead',
  '/dead?view=removed',
  '/dead?view=decisions',
  '/inventory',
  '/inventory?service=orders',
  '/clients',
  '/clients?callers=consumers',
  '/calls',
  '/compare',
  '/compare?by=version',
  '/services',
  '/settings',
];
