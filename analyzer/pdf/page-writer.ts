import { createRequire } from 'node:module';
import PDFDocument from 'pdfkit';

/**
 * Writes a document of A4 pages: headings, figures, charts, tables, page numbers. The only file that imports pdfkit.
 * DejaVu Sans has Latin, Greek, Cyrillic, Hebrew, Arabic, Georgian, Armenian and more; only the glyphs that are
 * used are in the file.
 */

const require = createRequire(import.meta.url);
const fonts = {
  regular: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf'),
  bold: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf'),
} as const;

/** Points, 1/72 of an inch. */
const margin = 42;
const bottomSpace = 30;
const rowHeight = 14;

export const colours = {
  ink: '#1b1f24',
  faint: '#667080',
  line: '#d5dae0',
  stripe: '#f5f7f9',
  calls: '#4c7dbf',
  error4xx: '#d99a2b',
  error5xx: '#c23b33',
} as const;

export interface PdfColumn {
  heading: string;
  /** Share of the width of the table. */
  share: number;
  align?: 'right';
}

export interface PdfFigure {
  label: string;
  value: string;
  /** Against the window before. */
  note: string;
}

export interface PdfBars {
  title: string;
  /** The first and last moment, below the axis. */
  from: string;
  to: string;
  /** Of each bar, from the axis up: its parts; null leaves a gap in a line. */
  series: { name: string; colour: string; values: (number | null)[] }[];
  kind: 'stacked' | 'line';
  unit: string;
}

export class PageWriter {
  readonly #pdf: PDFKit.PDFDocument;
  readonly #parts: Buffer[] = [];
  readonly #ended: Promise<void>;
  readonly #title: string;
  #y = margin;

  /** @param createdMs milliseconds since the epoch */
  constructor(title: string, createdMs: number) {
    this.#title = title;
    this.#pdf = new PDFDocument({
      size: 'A4',
      // Text may stand in the margin below: page numbers do.
      margins: { top: margin, left: margin, right: margin, bottom: 0 },
      bufferPages: true,
      info: { Title: title, Producer: 'Rollcall', CreationDate: new Date(createdMs) },
      lang: 'en',
    });
    this.#pdf.registerFont('regular', fonts.regular);
    this.#pdf.registerFont('bold', fonts.bold);
    this.#pdf.on('data', (part: Buffer) => this.#parts.push(part));
    this.#ended = new Promise((resolve) => this.#pdf.on('end', resolve));
  }

  get #width(): number {
    return this.#pdf.page.width - 2 * margin;
  }

  heading(text: string, lines: readonly string[]): void {
    this.#pdf.font('bold').fontSize(18).fillColor(colours.ink);
    this.#pdf.text(this.#fitted(text, this.#width), margin, this.#y, { lineBreak: false });
    this.#y += 26;
    this.#pdf.font('regular').fontSize(9).fillColor(colours.faint);
    for (const line of lines) {
      this.#pdf.text(line, margin, this.#y, { width: this.#width });
      this.#y = this.#pdf.y + 2;
    }
    this.#y += 8;
  }

  section(text: string): void {
    this.#reserve(4 * rowHeight);
    this.#y += 8;
    this.#pdf.font('bold').fontSize(11).fillColor(colours.ink);
    this.#pdf.text(text, margin, this.#y, { lineBreak: false });
    this.#y += 18;
  }

  note(text: string): void {
    this.#reserve(2 * rowHeight);
    this.#pdf.font('regular').fontSize(9).fillColor(colours.faint);
    this.#pdf.text(text, margin, this.#y, { width: this.#width });
    this.#y = this.#pdf.y + 4;
  }

  figures(figures: readonly PdfFigure[]): void {
    this.#reserve(52);
    const width = this.#width / figures.length;
    for (const [n, { label, value, note }] of figures.entries()) {
      const x = margin + n * width;
      const line = (text: string, size: number, font: string, colour: string, y: number) => {
        this.#pdf.font(font).fontSize(size).fillColor(colour);
        this.#pdf.text(this.#fitted(text, width - 6), x, this.#y + y, { lineBreak: false });
      };
      line(label, 8, 'regular', colours.faint, 0);
      line(value, 15, 'bold', colours.ink, 11);
      line(note, 7.5, 'regular', colours.faint, 31);
    }
    this.#y += 52;
  }

  /** One bar of parts that add up to the whole. */
  shares(title: string, parts: readonly { name: string; value: number; colour: string }[]): void {
    const all = parts.reduce((sum, { value }) => sum + value, 0);
    if (all === 0) return;
    this.section(title);
    this.#reserve(40);
    let x = margin;
    for (const { value, colour } of parts) {
      const width = (this.#width * value) / all;
      this.#pdf.rect(x, this.#y, width, 10).fill(colour);
      x += width;
    }
    this.#y += 15;
    this.#legend(
      parts.map(({ name, value, colour }) => ({
        name: `${name} ${value.toLocaleString('en-US')} (${((100 * value) / all).toFixed(1)} %)`,
        colour,
      })),
    );
  }

  chart({ title, from, to, series, kind, unit }: PdfBars): void {
    const height = 96;
    this.#reserve(height + 62);
    this.section(title);
    this.#y += 8;
    const points = Math.max(1, ...series.map(({ values }) => values.length));
    const tops = Array.from({ length: points }, (_, n) => {
      const values = series.map(({ values }) => values[n] ?? 0);
      return kind === 'stacked' ? values.reduce((a, b) => a + b, 0) : Math.max(...values);
    });
    const top = niceCeiling(Math.max(...tops));
    const base = this.#y + height;
    this.#pdf.font('regular').fontSize(7).fillColor(colours.faint);
    for (const share of [0, 0.5, 1]) {
      const y = base - height * share;
      this.#pdf
        .moveTo(margin, y)
        .lineTo(margin + this.#width, y)
        .lineWidth(0.5)
        .stroke(colours.line);
      this.#pdf.text(`${shortNumber(top * share)}${unit}`, margin + 2, y - 9, { lineBreak: false });
    }
    const step = this.#width / points;
    if (kind === 'stacked') this.#bars(series, base, height / top, step);
    else this.#lines(series, base, height / top, step);
    this.#pdf.font('regular').fontSize(7).fillColor(colours.faint);
    this.#pdf.text(from, margin, base + 3, { lineBreak: false });
    const width = this.#pdf.widthOfString(to);
    this.#pdf.text(to, margin + this.#width - width, base + 3, { lineBreak: false });
    this.#y = base + 15;
    this.#legend(series);
  }

  table(columns: readonly PdfColumn[], rows: readonly (readonly string[])[]): void {
    const shares = columns.reduce((sum, { share }) => sum + share, 0);
    const widths = columns.map(({ share }) => (this.#width * share) / shares);
    this.#reserve(3 * rowHeight);
    this.#tableHead(columns, widths);
    for (const [n, row] of rows.entries()) {
      if (this.#reserve(rowHeight)) this.#tableHead(columns, widths);
      if (n % 2 === 1) {
        this.#pdf.rect(margin, this.#y - 2, this.#width, rowHeight).fill(colours.stripe);
      }
      this.#pdf.font('regular').fontSize(7.5).fillColor(colours.ink);
      this.#cells(row, columns, widths);
      this.#y += rowHeight;
    }
    this.#y += 6;
  }

  /** @returns the file, with a number on every page */
  async end(): Promise<Uint8Array<ArrayBuffer>> {
    const { count } = this.#pdf.bufferedPageRange();
    for (let page = 0; page < count; page++) {
      this.#pdf.switchToPage(page);
      this.#pdf.font('regular').fontSize(7.5).fillColor(colours.faint);
      const y = this.#pdf.page.height - 24;
      this.#pdf.text(this.#fitted(this.#title, this.#width - 90), margin, y, { lineBreak: false });
      const number = `Page ${page + 1} of ${count}`;
      const width = this.#pdf.widthOfString(number);
      this.#pdf.text(number, margin + this.#width - width, y, { lineBreak: false });
    }
    this.#pdf.end();
    await this.#ended;
    return new Uint8Array(Buffer.concat(this.#parts));
  }

  #tableHead(columns: readonly PdfColumn[], widths: readonly number[]): void {
    this.#pdf.font('bold').fontSize(7.5).fillColor(colours.faint);
    this.#cells(
      columns.map(({ heading }) => heading),
      columns,
      widths,
    );
    this.#y += rowHeight - 2;
    const y = this.#y - 2;
    this.#pdf
      .moveTo(margin, y)
      .lineTo(margin + this.#width, y)
      .lineWidth(0.5)
      .stroke(colours.line);
    this.#y += 2;
  }

  #cells(texts: readonly string[], columns: readonly PdfColumn[], widths: readonly number[]): void {
    let x = margin;
    for (const [n, { align }] of columns.entries()) {
      const width = widths[n]!;
      const text = this.#fitted(texts[n] ?? '', width - 6);
      const shift = align === 'right' ? width - 6 - this.#pdf.widthOfString(text) : 0;
      this.#pdf.text(text, x + 2 + shift, this.#y, { lineBreak: false });
      x += width;
    }
  }

  #bars(series: PdfBars['series'], base: number, scale: number, step: number): void {
    const points = series[0]?.values.length ?? 0;
    for (let n = 0; n < points; n++) {
      let y = base;
      for (const { values, colour } of series) {
        const height = (values[n] ?? 0) * scale;
        if (height <= 0) continue;
        y -= height;
        this.#pdf.rect(margin + n * step, y, Math.max(0.5, step * 0.85), height).fill(colour);
      }
    }
  }

  #lines(series: PdfBars['series'], base: number, scale: number, step: number): void {
    for (const { values, colour } of series) {
      let isOpen = false;
      for (const [n, value] of values.entries()) {
        const x = margin + (n + 0.5) * step;
        if (value === null) {
          isOpen = false;
          continue;
        }
        const y = base - value * scale;
        const isAlone: boolean = !isOpen && (values[n + 1] ?? null) === null;
        if (isAlone) this.#pdf.circle(x, y, 1.2).fill(colour);
        else if (isOpen) this.#pdf.lineTo(x, y);
        else this.#pdf.moveTo(x, y);
        isOpen = !isAlone;
        if (isOpen && (values[n + 1] ?? null) === null) {
          this.#pdf.lineWidth(1.2).stroke(colour);
          isOpen = false;
        }
      }
    }
  }

  #legend(items: readonly { name: string; colour: string }[]): void {
    let x = margin;
    this.#pdf.font('regular').fontSize(7.5);
    for (const { name, colour } of items) {
      const width = this.#pdf.widthOfString(name) + 24;
      if (x + width > margin + this.#width) {
        x = margin;
        this.#y += 11;
      }
      this.#pdf.rect(x, this.#y + 1, 7, 7).fill(colour);
      this.#pdf.fillColor(colours.ink).text(name, x + 10, this.#y, { lineBreak: false });
      x += width;
    }
    this.#y += 14;
  }

  /** Begins a page where the height is not left. @returns whether it did */
  #reserve(height: number): boolean {
    if (this.#y + height <= this.#pdf.page.height - margin - bottomSpace / 2) return false;
    this.#pdf.addPage();
    this.#y = margin;
    return true;
  }

  /** One line, cut with an ellipsis where it is too long. */
  #fitted(text: string, width: number): string {
    const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
    if (this.#pdf.widthOfString(line) <= width) return line;
    const characters = [...line];
    let low = 0;
    let high = characters.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const candidate = `${characters.slice(0, middle).join('')}…`;
      if (this.#pdf.widthOfString(candidate) <= width) low = middle;
      else high = middle - 1;
    }
    return `${characters.slice(0, low).join('')}…`;
  }
}

/** The next of 1, 2, 5, 10, 20 … */
function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= value)!;
}

function shortNumber(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}
