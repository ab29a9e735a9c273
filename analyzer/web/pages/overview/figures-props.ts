import type { Report, Summary, Timeseries } from '../../api/answers.ts';
import type { Figure } from '../../state/search.ts';

/** The properties of the figures and their chart. */
export interface FiguresProps {
  summary: Summary;
  compared: { name: string; shiftMs: number; summary: Summary } | undefined;
  report: Report | undefined;
  series: Timeseries | undefined;
  seriesBefore: Timeseries | undefined;
  /** Why a figure is not known, in a few words. */
  unknown?: Partial<Record<Figure, string>>;
  onZoom: (fromS: number, toS: number) => void;
}
