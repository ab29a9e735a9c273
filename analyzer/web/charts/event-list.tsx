import type { EventRow } from '../api/answers.ts';
import { moment } from '../state/format.ts';
import { plainText } from '../state/text.ts';
import styles from './chart-figure.module.css';
import { eventText } from './event-marks.ts';

/** The events of a chart in words, oldest first. */
export function EventList({ events, tz }: { events: readonly EventRow[]; tz: string | undefined }) {
  if (events.length === 0) return null;
  return (
    <ul className={styles.events} aria-label="Deployments and events">
      {events.map((event) => (
        <li key={`${event.at} ${event.service} ${event.version} ${event.title}`}>
          <time dateTime={event.at}>{moment(event.at, tz)}</time> <bdi>{eventText(event)}</bdi>
          {event.previous_version !== null && ` after ${plainText(event.previous_version)}`}
          {isWebAddress(event.link) && (
            <>
              {' '}
              <a href={event.link} rel="noreferrer" target="_blank">
                more ↗
              </a>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The meaning of the marks. */
export function EventLegend({ events }: { events: readonly EventRow[] }) {
  const isDeployment = events.every(({ kind }) => kind === 'deployment');
  return <span>▲ {isDeployment ? 'deployment' : 'deployment or event'}</span>;
}

/** An address of another kind, such as one with a script, is not made a link. */
const isWebAddress = (link: string | null): link is string => /^https?:\/\//.test(link ?? '');
