import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { axeFindings, describeInBrowser, openPage, type Watched } from './browser.ts';
import { openWorld, spansOf, type World } from './world.ts';

const adminKey = 'the-operator-has-chosen-this-one-well';

describeInBrowser('signing in to the dashboard in a browser', () => {
  let world: World;
  let watched: Watched;
  const keys: Record<string, string> = {};
  const operate = async (method: string, path: string, body: object) => {
    const response = await fetch(`${world.url}/api/v1${path}`, {
      method,
      headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as { key: string };
  };
  beforeAll(async () => {
    world = await openWorld({ ROLLCALL_AUTH: 'keys', ROLLCALL_ADMIN_KEY: adminKey });
    await operate('POST', '/projects', { name: 'shop' });
    for (const scope of ['ingest', 'read', 'admin']) {
      keys[scope] = (await operate('POST', '/keys', { project: 'shop', scope })).key;
    }
    await world.send(spansOf([{ route: '/a' }]), keys.ingest);
  }, 120_000);
  afterAll(() => world?.close());
  beforeEach(async () => {
    watched = await openPage(world.browser, world.url);
  });

  const signIn = async (key: string) => {
    await watched.page.getByLabel('Key').fill(key);
    await watched.page.getByRole('button', { name: 'Sign in' }).click();
  };

  it('asks for a key, says what is wrong with it, and returns to the page that was asked for', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/endpoints?window=24h&q=a`);
    await page.getByRole('heading', { name: 'Rollcall' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await signIn('rck_wrong');
    await page.getByText('the key is not known here').waitFor();
    await signIn(keys.ingest!);
    await page.getByText('a key with scope ingest may not read').waitFor();
    await signIn(keys.read!);
    await page.getByRole('link', { name: 'GET /a' }).waitFor();
    expect(page.url()).toBe(`${world.url}/endpoints?window=24h&q=a`);
    const cookies = await page.context().cookies();
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(cookies[0]!.value).not.toContain('rck_');
    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
    expect(kept).toBe('[{},{}]');
    expect(await page.content()).not.toContain(keys.read!);
    await watched.close(/401|403/);
  });

  it('never goes to another host after signing in', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/sign-in?then=//example.org/`);
    await signIn(keys.read!);
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    expect(page.url()).toBe(`${world.url}/`);
    await watched.close();
  });

  it('signs out, and the page behind asks again', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/settings`);
    await signIn(keys.read!);
    await page.getByText('You are signed in with a read key').waitFor();
    // A read key decides nothing: it is offered nothing
    await page.goto(`${world.url}/endpoints`);
    await page.getByRole('link', { name: 'GET /a' }).click();
    const drawer = page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByText('Answers by status').waitFor();
    expect(await drawer.getByRole('button', { name: /^(Keep|Deprecate|Remove)/ }).count()).toBe(0);
    await page.goto(`${world.url}/settings`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Key').waitFor();
    await page.goto(`${world.url}/endpoints`);
    await page.getByLabel('Key').waitFor();
    await watched.close(/401/);
  });

  it('an administrator makes a key that is shown once, rotates and revokes it', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/settings`);
    await signIn(keys.admin!);
    await page.getByLabel('Scope').selectOption('read');
    await page.getByRole('button', { name: 'Make a key' }).click();
    const dialog = page.getByRole('dialog', { name: 'The key, this once' });
    const made = await dialog.locator('pre').innerText();
    expect(made).toMatch(/^rck_[\w-]{43}$/);
    const works = async (key: string) =>
      (await fetch(`${world.url}/api/v1/services`, { headers: { 'x-api-key': key } })).status;
    expect(await works(made)).toBe(200);
    expect(await axeFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Done' }).click();
    expect(await page.content()).not.toContain(made);
    const row = page.getByRole('row').last();
    await row.getByRole('button', { name: /^rotate/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    const rotated = await dialog.locator('pre').innerText();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await expect.poll(() => works(made), { timeout: 5_000 }).toBe(401);
    expect(await works(rotated)).toBe(200);
    await row.getByRole('button', { name: /^revoke/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText(/^revoked /).waitFor();
    await expect.poll(() => works(rotated), { timeout: 5_000 }).toBe(401);
    await watched.close();
  });

  it('a session whose key was revoked asks for another one', async () => {
    const { key, id } = (await operate('POST', '/keys', {
      project: 'shop',
      scope: 'read',
    })) as { key: string; id?: string };
    const { page } = watched;
    await page.goto(`${world.url}/?window=24h`);
    await signIn(key);
    await page.getByRole('tab', { name: /^Requests/ }).waitFor();
    await fetch(`${world.url}/api/v1/keys/${id}`, {
      method: 'DELETE',
      headers: { 'x-api-key': adminKey },
    });
    await page.getByRole('link', { name: 'Clients' }).click();
    await page.getByLabel('Key').waitFor({ timeout: 40_000 });
    // Another key returns to the page that was open
    await signIn(keys.read!);
    await page.getByRole('table', { name: 'Clients' }).waitFor();
    expect(page.url()).toBe(`${world.url}/clients?window=24h`);
    await watched.close(/401/);
  });

  it('the operator makes a project and keys of it, and reads no figures', async () => {
    const { page } = watched;
    await page.goto(world.url);
    await signIn(adminKey);
    const projects = page.getByRole('region', { name: 'Projects' });
    await projects.getByRole('row', { name: /^shop/ }).waitFor();
    const listed = await projects.getByRole('row').allInnerTexts();
    const asOperator = { headers: { 'x-api-key': adminKey } };
    const { projects: known } = (await (
      await fetch(`${world.url}/api/v1/projects`, asOperator)
    ).json()) as { projects: { name: string; keys: number }[] };
    expect(listed.slice(1).map((row) => row.split(/\s+/).slice(0, 2))).toEqual(
      known.map(({ name, keys: count }) => [name, String(count)]),
    );
    await projects.getByLabel('Name').fill('no/such name');
    await projects.getByRole('button', { name: 'Create project' }).click();
    await projects.getByRole('alert').waitFor();
    await projects.getByLabel('Name').fill('bakery');
    await projects.getByRole('button', { name: 'Create project' }).click();
    const ofBakery = page.getByRole('region', { name: 'Keys' });
    await ofBakery.getByRole('heading', { name: 'Keys of bakery' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await ofBakery.getByLabel('Scope').selectOption('read');
    await ofBakery.getByRole('button', { name: 'Make a key' }).click();
    const made = await page.getByRole('dialog').locator('pre').innerText();
    await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
    await expect
      .poll(() => projects.getByRole('row', { name: /^bakery/ }).innerText())
      .toMatch(/^bakery\s+1\s/);
    const answer = await fetch(`${world.url}/api/v1/services`, { headers: { 'x-api-key': made } });
    expect(await answer.json()).toMatchObject({ services: [] });
    expect(await page.evaluate(async () => (await fetch('api/v1/report')).status)).toBe(403);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await watched.close(/400|403/);
  });
});
