import type { Report, Summary, Timeseries } from '../../api/answers.ts';

/** The properties of the figures and their chart. */
export interface FiguresProps {
  summary: Summary;
  compared: { name: string; shiftMs: number; summary: Summary } | undefined;
  report: Report | undefined;
  series: Timeseries | undefined;
  seriesBefore: Timeseries | undefined;
  onZoom: (fromS: number, toS: number) => void;
}
