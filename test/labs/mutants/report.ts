import { dirname } from 'node:path';

/** What is read of a report in the mutation testing schema, as Stryker writes it. */
export interface MutantReport {
  files: Record<string, { source: string; mutants: ReportedMutant[] }>;
}

interface ReportedMutant {
  mutatorName: string;
  replacement?: string;
  status: string;
  location: { start: { line: number; column: number }; end: { line: number; column: number } };
}

/** A fault that changes nothing that anyone can observe. */
export interface Equivalent {
  file: string;
  /** The line as it stands, without indentation. */
  line: string;
  replacement: string;
  reason: string;
}

export interface Survivor extends Omit<Equivalent, 'reason'> {
  lineNumber: number;
  mutator: string;
  isCovered: boolean;
}

export interface FolderScore {
  folder: string;
  noticed: number;
  survived: number;
  equivalent: number;
}

/** Scores by folder, and the faults that no test noticed and nobody explained. */
export function judge(
  report: MutantReport,
  equivalents: readonly Equivalent[],
): { folders: FolderScore[]; survivors: Survivor[] } {
  const folders = new Map<string, FolderScore>();
  const survivors: Survivor[] = [];
  for (const [file, { source, mutants }] of Object.entries(report.files)) {
    const lines = source.split('\n');
    const folder = dirname(file);
    const score = folders.get(folder) ?? { folder, noticed: 0, survived: 0, equivalent: 0 };
    folders.set(folder, score);
    for (const { mutatorName, replacement = '', status, location } of mutants) {
      if (status === 'Killed' || status === 'Timeout') score.noticed += 1;
      if (status !== 'Survived' && status !== 'NoCoverage') continue;
      const line = lines[location.start.line - 1]!.trim();
      const isKnown = equivalents.some(
        (known) => known.file === file && known.line === line && known.replacement === replacement,
      );
      if (isKnown) {
        score.equivalent += 1;
        continue;
      }
      score.survived += 1;
      survivors.push({
        file,
        line,
        replacement,
        lineNumber: location.start.line,
        mutator: mutatorName,
        isCovered: status === 'Survived',
      });
    }
  }
  return { folders: [...folders.values()], survivors };
}

/** Noticed faults in percent of all that are not equivalent; 100 for none. */
export function percentNoticed({ noticed, survived }: FolderScore): number {
  const all = noticed + survived;
  return all === 0 ? 100 : (100 * noticed) / all;
}
