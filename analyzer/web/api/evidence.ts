import { api, requestText } from './request.ts';

/** The evidence for an endpoint's verdict as text for a pull request. @throws ApiError, NoAnswer */
export function evidenceText(id: string): Promise<string> {
  return requestText(api(`/endpoints/${encodeURIComponent(id)}/evidence`), { format: 'md' });
}
