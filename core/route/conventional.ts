import type { RouteSegment } from './segments.ts';

/**
 * Conventional routes are not single endpoints: `{controller=Home}/{action=Index}/{id?}` covers a whole
 * application (ASP.NET MVC, Rails, CakePHP, Grails, Sails). The semantic conventions count `{controller}` and
 * `{action}` as static parts of a route, since their values are a fixed set; their values come from the path.
 */
export function isConventional(route: readonly RouteSegment[]): boolean {
  return route.some(({ text }) => text === '{controller}');
}

/**
 * The route with controller, action and area from a path that it takes; parts that the path lacks are left
 * out. Undefined when the segments cannot be aligned one by one.
 */
export function filledRoute(
  route: readonly RouteSegment[],
  path: readonly string[],
): string | undefined {
  if (path.length > route.length || route.some(({ kind }) => kind === 'rest')) return undefined;
  let text = '';
  for (const [at, segment] of route.entries()) {
    const value = path[at];
    if (value === undefined) {
      if (!segment.optional) return undefined;
      continue;
    }
    const isLiteral = segment.kind === 'literal';
    if (isLiteral && segment.texts[0] !== value.toLowerCase()) return undefined;
    text += `/${isStatic(segment, value) ? value : segment.text}`;
  }
  return text === '' ? '/' : text;
}

function isStatic({ text }: RouteSegment, value: string): boolean {
  return /^\{(controller|action|area)\}$/i.test(text) && /^[A-Za-z_][\w.~-]*$/.test(value);
}
