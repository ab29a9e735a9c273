import { describe, expect, test } from 'vitest';
import { type AnyValue, encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { extracting, span } from '../support/extracting.ts';

/** Calls that report no route, or an error page's, by routes that answered before (docs/extraction.md X28). */
interface Call {
  path: string;
  status: number;
  route?: string;
  method?: string;
  service?: string;
}

function calls(...messages: Call[][]): string[] {
  const { extract, called } = extracting();
  for (const message of messages) extract(request(message));
  return called().map(({ method, route, status }) => `${method} ${route} ${status}`);
}

let ids = 0;

function request(message: readonly Call[]): Buffer {
  return encodeTraces(
    message.map(({ path, status, route, method = 'GET', service = 'web' }) => {
      ids += 1;
      const spanId = Buffer.alloc(8);
      spanId.writeUInt32BE(ids);
      const attributes: Record<string, AnyValue> = {
        'http.request.method': method,
        'url.path': path,
        'http.response.status_code': status,
        ...(route !== undefined && { 'http.route': route }),
      };
      const scopes = [{ name: 'http', spans: [span(attributes, { spanId })] }];
      return { attributes: [{ key: 'service.name', value: service }], scopes };
    }),
  );
}

describe('a 404 without a route, of a framework that reports none (Next.js, Hono)', () => {
  test('is the endpoint’s own when a call of that shape was answered before', () => {
    expect(
      calls(
        [{ path: '/flows/7', status: 200 }],
        [
          { path: '/flows/99', status: 404 },
          { path: '/wp-login.php', status: 404 },
          { path: '/flows/99', status: 404, method: 'DELETE' },
          { path: '/flows/99', status: 404, service: 'other' },
          { path: '/flows/99', status: 405 },
        ],
      ),
    ).toEqual([
      'GET /flows/{id} 200',
      'GET /flows/{id} 404',
      'GET (unmatched) 404',
      'DELETE (unmatched) 404',
      'GET (unmatched) 404',
      'GET (unmatched) 405',
    ]);
  });

  test('only an answer counts, in the same message too', () => {
    expect(
      calls(
        [
          { path: '/flows/7', status: 401 },
          { path: '/flows/7', status: 500 },
        ],
        [{ path: '/flows/99', status: 404 }],
      )[2],
    ).toBe('GET (unmatched) 404');
    const together = calls([
      { path: '/flows/7', status: 200 },
      { path: '/flows/99', status: 404 },
    ]);
    expect(together[1]).toBe('GET /flows/{id} 404');
  });

  test('a service that reports routes had none for the path', () => {
    const express = calls(
      [{ path: '/users/7', status: 200, route: '/users/:id(\\d+)' }],
      [{ path: '/users/abc', status: 404 }],
    );
    expect(express).toEqual(['GET /users/{id} 200', 'GET (unmatched) 404']);
  });
});

describe('X23: an error page in place of the endpoint', () => {
  test('the reported route that takes the path is the one that failed', () => {
    expect(
      calls(
        [
          { path: '/books/dune', status: 200, route: 'books/{slug}' },
          { path: '/books/new', status: 200, route: 'books/new' },
        ],
        [
          // dotnet/aspnetcore#68551, vercel/next.js#82102, opentelemetry-ruby-contrib#1555.
          { path: '/books/emma', status: 500, route: 'Error/{statusCode:int?}' },
          { path: '/books/new', status: 500, route: '/_error' },
          { path: '/books/ulysses', status: 404, route: '/404' },
          { path: '/books/emma', status: 503, route: '/:code(.:format)' },
          { path: '/authors/x', status: 500, route: 'Home/Error' },
          { path: '/wp-login.php', status: 404, route: '/_not-found' },
        ],
      ),
    ).toEqual([
      'GET /books/{slug} 200',
      'GET /books/new 200',
      'GET /books/{slug} 500',
      'GET /books/new 500',
      'GET /books/{slug} 404',
      'GET /books/{slug} 503',
      'GET /authors/{id} 500',
      'GET (unmatched) 404',
    ]);
  });
});

test('routes of an extractor that begins anew are forgotten', () => {
  const { extract, extractor, called } = extracting();
  extract(request([{ path: '/flows/7', status: 200 }]));
  called();
  extractor.reset();
  extract(request([{ path: '/flows/99', status: 404 }]));
  expect(called().at(-1)?.route).toBe('(unmatched)');
});
