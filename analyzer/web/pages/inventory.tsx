import { type DragEvent, useState } from 'react';
import { Link } from 'wouter';
import type { Inventory, Session } from '../api/answers.ts';
import { useInventory, useInventoryCommands } from '../api/inventory.ts';
import { useServices } from '../api/queries.ts';
import { Count, Counts } from '../parts/count.tsx';
import { DialogActions } from '../parts/dialog.tsx';
import { FilterBar } from '../parts/filter-bar.tsx';
import { Failure, Loading, Notice } from '../parts/notice.tsx';
import { Rank } from '../parts/rank.tsx';
import { Name, Route } from '../parts/route.tsx';
import { day, moment, plural } from '../state/format.ts';
import { mayChange } from '../state/permission.ts';
import { carried, usePageSearch, writeSearch } from '../state/search.ts';
import { plainText } from '../state/text.ts';
import styles from './inventory.module.css';

/** A service's declared routes beside the called ones: uploaded here with a preview, or sent by the service. */
export function InventoryPage({ session }: { session: Session }) {
  const [search] = usePageSearch();
  return (
    <>
      <h1 className="visually-hidden">Inventory</h1>
      <FilterBar chips={[]} />
      {search.service === undefined || search.service === '' ? (
        <ServiceChoice />
      ) : (
        <ServiceInventory
          key={`${search.service}\n${search.environment}`}
          service={search.service}
          environment={search.environment}
          mayDeclare={mayChange(session)}
        />
      )}
    </>
  );
}

function ServiceChoice() {
  const [search] = usePageSearch();
  const services = useServices().data?.services ?? [];
  const names = [...new Set(services.map(({ service }) => service))].filter(Boolean).sort();
  return (
    <section className={styles.panel} aria-label="Services">
      <h2>Of which service?</h2>
      <p>
        An inventory is the list of routes that a service declares: an OpenAPI document, or one line
        for each route. With it Rollcall names what was never called, what nobody documented, and
        what is still called after it was removed.
      </p>
      <ul className={styles.services}>
        {names.map((service) => (
          <li key={service}>
            <Link href={`/inventory${writeSearch({ ...carried(search), service })}`}>
              <Name text={service} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ServiceInventory({
  service,
  environment,
  mayDeclare,
}: {
  service: string;
  environment: string | undefined;
  mayDeclare: boolean;
}) {
  const inventory = useInventory(service, environment);
  const { preview, replace, remove } = useInventoryCommands(service, environment);
  const [text, setText] = useState<string | undefined>();
  const read = async (file: File) => {
    const content = await file.text();
    setText(content);
    replace.reset();
    preview.mutate(content);
  };
  const forget = () => {
    setText(undefined);
    preview.reset();
  };
  const error = preview.error ?? replace.error ?? remove.error;
  const shown = preview.data ?? inventory.data;
  return (
    <>
      {mayDeclare ? (
        <Drop onFile={read} isBusy={preview.isPending || replace.isPending} />
      ) : (
        <p className={styles.panel}>
          You are signed in with a read key. Inventories are uploaded with a key of scope admin, or
          sent by the service itself.
        </p>
      )}
      {error && (
        <p role="alert" className={styles.refused}>
          {plainText(error.message)}
        </p>
      )}
      {preview.data !== undefined && text !== undefined && (
        <section className={styles.preview} aria-label="Preview">
          <h2>Preview: nothing is stored yet</h2>
          <p>
            Read as {preview.data.format}. Against the version before:{' '}
            {plural(preview.data.added_routes, 'route')} added,{' '}
            {plural(preview.data.removed_routes, 'route')} removed.
          </p>
          {preview.data.notes.map((note) => (
            <p key={note}>{plainText(note)}</p>
          ))}
          <DialogActions>
            <button type="button" onClick={forget}>
              Leave it
            </button>
            <button
              type="button"
              className={styles.primary}
              disabled={replace.isPending}
              onClick={() => replace.mutate(text, { onSuccess: forget })}
            >
              Store this inventory
            </button>
          </DialogActions>
        </section>
      )}
      {shown ? (
        <Declared inventory={shown} />
      ) : inventory.isPending ? (
        <Loading what="the inventory" />
      ) : inventory.error ? (
        <Failure error={inventory.error} retry={() => inventory.refetch()} />
      ) : (
        <div className={styles.panel}>
          <Notice title="No inventory yet">
            <p>Without one, what was never called is not known.</p>
          </Notice>
        </div>
      )}
      {mayDeclare && inventory.data && preview.data === undefined && (
        <button type="button" disabled={remove.isPending} onClick={() => remove.mutate()}>
          Remove this inventory
        </button>
      )}
    </>
  );
}

function Drop({ onFile, isBusy }: { onFile: (file: File) => void; isBusy: boolean }) {
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file !== undefined) onFile(file);
  };
  return (
    <label
      className={isOver ? styles.dropOver : styles.drop}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input
        type="file"
        className="visually-hidden"
        accept=".json,.yaml,.yml,.txt"
        disabled={isBusy}
        onChange={({ target }) => {
          const file = target.files?.[0];
          target.value = '';
          if (file !== undefined) onFile(file);
        }}
      />
      <b>{isBusy ? 'Reading …' : 'Drop an OpenAPI document or a list of routes here'}</b>
      <span>or choose a file: JSON, YAML, or text with lines such as GET /users/{'{id}'}</span>
    </label>
  );
}

function Declared({ inventory }: { inventory: Inventory }) {
  const [search] = usePageSearch();
  const goes = writeSearch(carried(search));
  const { routes, undocumented, former_routes: former } = inventory;
  const never = routes.filter(({ endpoints }) => endpoints.length === 0);
  return (
    <>
      <Counts>
        <Count name="Declared" count={inventory.declared_routes}>
          version {inventory.version}
          {inventory.dry_run ? ', not stored' : `, of ${day(inventory.created_at)}`}
        </Count>
        <Count name="Called" count={inventory.called_routes}>
          of the declared
        </Count>
        <Count name="Never called" count={inventory.never_called_routes}>
          since observation began
        </Count>
        <Count name="Undocumented" count={undocumented.length}>
          called, and not declared
        </Count>
      </Counts>
      <div className={styles.two}>
        <section className={styles.panel} aria-label="Never called">
          <h2>Never called</h2>
          <Rank
            empty="Every declared route was called."
            items={never.map(({ method, route, deprecated, owner }) => ({
              key: `${method} ${route}`,
              name: <Route method={method} route={route} />,
              value: plainText(
                [deprecated ? 'deprecated' : '', owner ?? ''].filter(Boolean).join(', '),
              ),
            }))}
          />
        </section>
        <section className={styles.panel} aria-label="Undocumented">
          <h2>Undocumented</h2>
          <Rank
            empty="Every endpoint that was called is declared."
            items={undocumented.map(({ id, method, route, environment }) => ({
              key: id,
              name: (
                <Link href={`/endpoints/${encodeURIComponent(id)}${goes}`}>
                  <Route method={method} route={route} />
                </Link>
              ),
              value: plainText(environment),
            }))}
          />
        </section>
      </div>
      {former.length > 0 && (
        <section className={styles.panel} aria-label="Removed">
          <h2>Declared before, and no more</h2>
          <Rank
            empty=""
            items={former.map(({ method, route, removed_at }) => ({
              key: `${method} ${route} ${removed_at}`,
              name: <Route method={method} route={route} />,
              value: <time title={moment(removed_at)}>{day(removed_at)}</time>,
            }))}
          />
        </section>
      )}
    </>
  );
}
