import { type FormEvent, useEffect, useState } from 'react';
import type { Session } from '../../api/answers.ts';
import { useProjectCommands, useProjects } from '../../api/projects.ts';
import { Failure, Loading, Notice } from '../../parts/notice.tsx';
import { exact } from '../../state/format.ts';
import { Keys } from './keys.tsx';
import { Sessions } from './sessions.tsx';
import styles from './settings.module.css';
import { Configured } from './settings.tsx';

/** The page of the operator, whose key belongs to no project: projects, and the keys of one of them. */
export function OperatorPage({ session }: { session: Session }) {
  const [chosen, choose] = useState<string | undefined>();
  useEffect(() => {
    document.title = 'Projects · Rollcall';
  }, []);
  return (
    <main className={styles.alone} id="page">
      <h1>Rollcall</h1>
      <p className={styles.lead}>
        You are signed in with ROLLCALL_ADMIN_KEY, which makes projects and keys and reads no
        figures: for these, sign in with a key of a project.
      </p>
      <Projects chosen={chosen} onChoose={choose} />
      {chosen !== undefined && <Keys key={chosen} project={chosen} />}
      <Sessions session={session} />
      {session.settings && <Configured settings={session.settings} version={session.version} />}
    </main>
  );
}

function Projects({
  chosen,
  onChoose,
}: {
  chosen: string | undefined;
  onChoose: (project: string) => void;
}) {
  const projects = useProjects();
  const { create } = useProjectCommands();
  const [name, setName] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = name.trim();
    if (wanted === '') return;
    create.mutate(wanted, {
      onSuccess: () => {
        setName('');
        onChoose(wanted);
      },
    });
  };
  return (
    <section className={styles.panel} aria-label="Projects">
      <h2>Projects</h2>
      <form className={styles.make} onSubmit={submit}>
        <label>
          Name{' '}
          <input
            value={name}
            maxLength={100}
            placeholder="shop"
            autoComplete="off"
            spellCheck={false}
            onChange={({ target }) => setName(target.value)}
          />
        </label>
        <button type="submit" disabled={create.isPending || name.trim() === ''}>
          Create project
        </button>
      </form>
      {create.error && (
        <p role="alert" className={styles.refused}>
          {create.error.message}
        </p>
      )}
      {projects.data === undefined ? (
        projects.error ? (
          <Failure error={projects.error} retry={() => projects.refetch()} />
        ) : (
          <Loading what="the projects" />
        )
      ) : projects.data.length === 0 ? (
        <Notice title="No project yet">
          <p>A project is a tenant: it sees nothing of the others.</p>
        </Notice>
      ) : (
        <div className={styles.scroll}>
          <table>
            <thead>
              <tr>
                <th scope="col">Project</th>
                <th scope="col">Keys in use</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {projects.data.map((project) => (
                <tr key={project.name}>
                  <td>{project.name}</td>
                  <td>{exact(project.keys)}</td>
                  <td className={styles.actions}>
                    <button
                      type="button"
                      aria-pressed={project.name === chosen}
                      aria-label={`keys of ${project.name}`}
                      onClick={() => onChoose(project.name)}
                    >
                      Keys
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
