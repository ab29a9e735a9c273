/**
 * The base path of the dashboard: `/`, or a prefix that a proxy strips. Scripts are in `assets/` under it, so
 * this script's own address shows it.
 */
export const basePath: string = import.meta.env.DEV
  ? '/'
  : new URL(/* @vite-ignore */ '../', import.meta.url).pathname;

/** Without the slash at its end, as the router wants it. */
export const routerBase: string = basePath.slice(0, -1);
