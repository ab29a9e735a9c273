/** A number as people read it; the exact one stands in the title, and for programs in the value. */
export function Value({
  of,
  as,
  className,
}: {
  of: number | null | undefined;
  as: (value: number | null | undefined) => string;
  className?: string | undefined;
}) {
  const exact = of === null || of === undefined ? '' : String(of);
  return (
    <data value={exact} title={exact === '' ? 'no calls' : exact} className={className}>
      {as(of)}
    </data>
  );
}
