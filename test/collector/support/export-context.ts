import { Extractor } from '../../../collector/extract/extractor.ts';
import { Ingest } from '../../../collector/ingest/ingest.ts';
import { LargeMessages } from '../../../collector/ingest/large-message.ts';
import { CollectorMetrics } from '../../../collector/metrics.ts';
import { LargeJson } from '../../../collector/otlp/large-json.ts';
import { BufferPool } from '../../../collector/request/body.ts';
import { LogThrottle } from '../../../collector/request/log-throttle.ts';
import { ScavengeAfterChunks } from '../../../collector/request/minor-gc.ts';
import type { ExportContext } from '../../../collector/request/request.ts';
import { openAuthorizer } from '../../../core/auth/authorizer.ts';
import { CallDictionary } from '../../../core/call.ts';
import { readConfig } from '../../../core/config/config.ts';
import type { CallWriter } from '../../../core/store/store.ts';

/** What the listeners of a collector without keys need, in front of any writer. */
export function exportContext(writer: CallWriter): ExportContext {
  const config = readConfig({});
  const dictionary = new CallDictionary();
  const metrics = new CollectorMetrics();
  const extraction = { config, now: Date.now };
  const extractor = new Extractor({ ...extraction, dictionary });
  const ingest = new Ingest({ writer, extractor, dictionary, metrics });
  return {
    authorizer: openAuthorizer,
    ingest,
    metrics,
    notices: new LogThrottle(),
    pool: new BufferPool(),
    garbage: new ScavengeAfterChunks(),
    largeJson: new LargeJson(),
    largeMessages: new LargeMessages(ingest, extraction),
    bodyBytesMax: config.maxBodyBytes,
  };
}
