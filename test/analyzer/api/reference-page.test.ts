import { expect, test } from 'vitest';
import { nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

test('the reference page shows every operation, and works offline under its policy', async () => {
  const door = await openDoor(oracleReader([]), nowMs);
  const response = await door.fetch('/api/docs');
  const page = await response.text();
  expect(response.status).toBe(200);
  expect(response.headers.get('content-security-policy')).toContain("style-src 'self'");
  const document = (await (await door.fetch('/api/v1/openapi.json')).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
    components: { schemas: object };
  };
  for (const methods of Object.values(document.paths)) {
    for (const { operationId } of Object.values(methods)) {
      expect(page).toContain(`<article id="${operationId}">`);
    }
  }
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  for (const [, target] of page.matchAll(/ href="#([^"]+)"/g)) expect([...ids]).toContain(target);
  // Nothing inline, nothing from another host, and each reference leads to its file.
  expect(page).not.toMatch(/<script|<style| style=| on\w+=|https?:\/\//);
  const references = [...page.matchAll(/ (?:href|src)="([^"#]+)"/g)].map(([, found]) => found!);
  expect(new Set(references)).toEqual(new Set(['../api/docs.css', '../api/v1/openapi.json']));
  for (const reference of references) {
    const found = await fetch(new URL(reference, `${door.url}/api/docs`));
    expect([reference, found.status]).toEqual([reference, 200]);
  }
  const style = await door.fetch('/api/docs.css');
  expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect(await style.text()).not.toMatch(/url\(|@import/);
  await door.close();
});
