import { Dialog, DialogActions } from './dialog.tsx';
import styles from './key-help.module.css';

const help: readonly [string[], string][] = [
  [['/'], 'search endpoints'],
  [['j', 'k'], 'next and previous row'],
  [['Enter'], 'open the row'],
  [['Esc'], 'close what is open'],
  [['d'], 'last 24 hours'],
  [['w'], 'last 7 days'],
  [['m'], 'last 30 days'],
  [['o'], 'zoom out, after a range was dragged on a chart'],
  [['?'], 'this list'],
];

export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Shortcuts" onClose={onClose}>
      <dl className={styles.keys}>
        {help.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <DialogActions>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </DialogActions>
    </Dialog>
  );
}
