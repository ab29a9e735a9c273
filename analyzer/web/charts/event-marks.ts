import type { EventRow } from '../api/answers.ts';
import { plainText } from '../state/text.ts';

/** Deployments and other events on the time axis of a chart. */

/** "orders 2.5.0", or what was told of the event. */
export function eventText({ kind, title, service, version }: EventRow): string {
  const what = [service, version].filter(Boolean).join(' ');
  const text = title === null ? what || kind : [title, what].filter(Boolean).join(', ');
  return plainText(kind === 'deployment' ? text : `${kind}: ${text}`);
}

/** Events so close to each other that one mark stands for them. */
const nearPx = 8;
/** With more marks than these, lines over the whole chart would hide the data. */
const linedMost = 12;
/** Labels need so much of a chart's width; narrower charts have marks alone. */
const labelledWidth = 560;

export interface Marked {
  pen: CanvasRenderingContext2D;
  /** Of the plot, in pixels of the canvas. */
  left: number;
  top: number;
  width: number;
  height: number;
  /** Pixels of the canvas for one of the page. */
  scale: number;
  /** The place of a time, in pixels of the canvas. */
  x: (seconds: number) => number;
  color: string;
  /** Behind labels. */
  background: string;
  font: string;
}

/** Draws a dashed line for each event, with its name where there is room. */
export function drawEvents(events: readonly EventRow[], on: Marked): void {
  const { pen, left, top, width, height, scale, color } = on;
  const groups = groupsOf(events, on);
  if (groups.length === 0) return;
  pen.save();
  pen.strokeStyle = color;
  pen.fillStyle = color;
  pen.lineWidth = scale;
  pen.textBaseline = 'top';
  pen.textAlign = 'left';
  pen.font = on.font;
  const lineHeight = groups.length > linedMost ? 16 * scale : height;
  for (const [index, { x, events: near }] of groups.entries()) {
    pen.setLineDash([2 * scale, 3 * scale]);
    pen.beginPath();
    pen.moveTo(x, top + 12 * scale);
    pen.lineTo(x, top + lineHeight);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(x, top + 2 * scale);
    pen.lineTo(x + 4 * scale, top + 9 * scale);
    pen.lineTo(x - 4 * scale, top + 9 * scale);
    pen.fill();
    if (width < labelledWidth * scale) continue;
    const text = near.length === 1 ? eventText(near[0]!) : `${near.length} ${nounOf(near)}`;
    const shown = text.length > 32 ? `${text.slice(0, 31)}…` : text;
    const textWidth = pen.measureText(shown).width;
    const end = x + 12 * scale + textWidth;
    if (end > (groups[index + 1]?.x ?? left + width)) continue;
    pen.globalAlpha = 0.8;
    pen.fillStyle = on.background;
    pen.fillRect(x + 6 * scale, top, textWidth + 4 * scale, 13 * scale);
    pen.globalAlpha = 1;
    pen.fillStyle = color;
    pen.fillText(shown, x + 8 * scale, top + scale);
  }
  pen.restore();
}

function groupsOf(
  events: readonly EventRow[],
  { left, width, scale, x }: Marked,
): { x: number; events: EventRow[] }[] {
  const groups: { x: number; events: EventRow[] }[] = [];
  for (const event of events) {
    const at = x(Date.parse(event.at) / 1000);
    if (at < left || at > left + width) continue;
    const last = groups.at(-1);
    if (last !== undefined && at - last.x < nearPx * scale) last.events.push(event);
    else groups.push({ x: at, events: [event] });
  }
  return groups;
}

const nounOf = (events: readonly EventRow[]): string =>
  events.every(({ kind }) => kind === 'deployment') ? 'deployments' : 'events';

/** The events of one interval. */
export function eventsBetween(
  events: readonly EventRow[],
  fromS: number,
  toS: number,
): readonly EventRow[] {
  return events.filter(({ at }) => {
    const atS = Date.parse(at) / 1000;
    return atS >= fromS && atS < toS;
  });
}
