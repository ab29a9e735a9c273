import { useVersions } from '../../api/compare.ts';
import { usePageSearch } from '../../state/search.ts';
import { plainText } from '../../state/text.ts';

/** Which two versions of the chosen service are compared; the newest two unless chosen. */
export function VersionChoice() {
  const [search, change] = usePageSearch();
  const { service, environment } = search;
  const answer = useVersions(service, environment);
  if (service === undefined) return null;
  const observed = answer.data?.events.filter(
    ({ kind, id }) => kind === 'deployment' && id === null,
  );
  const versions = [...new Set(observed?.flatMap(({ version }) => version ?? []))];
  const choice = (
    label: string,
    usual: string,
    chosen: string | undefined,
    onChoose: (version: string | undefined) => void,
  ) => {
    const shown =
      chosen === undefined || versions.includes(chosen) ? versions : [chosen, ...versions];
    return (
      <select
        aria-label={label}
        value={chosen === undefined ? '' : `of ${chosen}`}
        onChange={({ target: { value } }) => onChoose(value === '' ? undefined : value.slice(3))}
      >
        <option value="">{usual}</option>
        {shown.map((version) => (
          <option key={version} value={`of ${version}`}>
            {plainText(version)}
          </option>
        ))}
      </select>
    );
  };
  return (
    <>
      {choice('Version', 'Newest version', search.version, (version) => change({ version }))}
      {choice('Compared with', 'Against the one before', search.beforeVersion, (beforeVersion) =>
        change({ beforeVersion }),
      )}
    </>
  );
}
