import { useState } from 'react';
import type { Session } from '../api/answers.ts';
import { useDoctor } from '../api/doctor.ts';
import { useKeyCommands } from '../api/keys.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Findings } from '../parts/findings.tsx';
import styles from './first-run.module.css';
import { recipes } from './recipes.ts';

/** Before the first call: how to send it, from each language, to the address this Rollcall listens on. */
export function FirstRunPage({ session }: { session: Session }) {
  const [chosen, choose] = useState(0);
  const [key, setKey] = useState<string | undefined>();
  const { create } = useKeyCommands();
  const asksKey = session.auth === 'keys';
  const isAdmin = session.user?.scope === 'admin';
  const { endpoint, isKnown } = collectorAddress(session);
  const recipe = recipes[chosen]!;
  const text = recipe.text({ endpoint, ...(asksKey && { key: key ?? 'rck_YOUR_KEY' }) });
  return (
    <div className={styles.page}>
      <section className={styles.panel}>
        <h1>Waiting for the first call</h1>
        <p>
          Rollcall listens. Send it spans, and this page turns into the dashboard by itself when the
          first call arrives.
        </p>
        <div className={styles.languages} role="tablist" aria-label="Language">
          {recipes.map(({ name }, index) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`recipe-${index}`}
              aria-selected={index === chosen}
              aria-controls="recipe"
              tabIndex={index === chosen ? 0 : -1}
              onClick={() => choose(index)}
              onKeyDown={(event) => {
                const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
                if (step === 0) return;
                const next = (index + step + recipes.length) % recipes.length;
                choose(next);
                document.getElementById(`recipe-${next}`)?.focus();
              }}
            >
              {name}
            </button>
          ))}
        </div>
        <div role="tabpanel" id="recipe" aria-label={recipe.name}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
          <pre tabIndex={0}>{text}</pre>
          <div className={styles.under}>
            <CopyButton text={() => text} />
            {recipe.hint !== undefined && <span>{recipe.hint}</span>}
          </div>
        </div>
        {!isKnown && (
          <p>
            The collector took a free port: its first line of output says which, in place of 4318
            here.
          </p>
        )}
        {asksKey && key === undefined && (
          <p>
            Every export needs a key of scope ingest.{' '}
            {isAdmin ? (
              <button
                type="button"
                disabled={create.isPending}
                onClick={() => create.mutate('ingest', { onSuccess: (made) => setKey(made.key) })}
              >
                Make one and fill it in
              </button>
            ) : (
              <>
                You are signed in with a read key; whoever has an admin key makes one, or:{' '}
                <code>npm run -s rollcall -- keys create --project NAME --scope ingest</code>
              </>
            )}
          </p>
        )}
        {create.error && <p role="alert">{create.error.message}</p>}
        {key !== undefined && (
          <p>The key is filled in above. It is shown this once: copy it before you leave.</p>
        )}
        <output className={styles.waiting}>
          <i aria-hidden="true" /> No call so far. Looking every 2 seconds.
        </output>
        <Arrived />
        <p className={styles.demo}>
          No service at hand? <code>npm run demo</code> starts a Rollcall of its own with a made-up
          shop in it.
        </p>
      </section>
    </div>
  );
}

/** What came meanwhile, and why it is no call. */
function Arrived() {
  const findings = useDoctor(2_000).data?.findings ?? [];
  if (findings.length === 0) return null;
  return (
    <section aria-label="What arrived so far">
      <h2>What arrived so far</h2>
      <Findings findings={findings} />
    </section>
  );
}

/** The collector is assumed on the host of this page; it may be on another. */
function collectorAddress({ collector }: Session): { endpoint: string; isKnown: boolean } {
  const { scheme, http_port: port } = collector;
  const endpoint = `${scheme}://${window.location.hostname}:${port ?? 4318}`;
  return { endpoint, isKnown: port !== null };
}
