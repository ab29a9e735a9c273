import {
  canonicalAddress,
  forwardedForHops,
  forwardedHops,
  type TrustedProxies,
} from '../../../collector/extract/client/address.ts';
import type { Attributes } from './slow-attributes.ts';

/** Who called, for the oracle of extraction. @returns '' for unknown, undefined for what is no address */
export function slowClient(attributes: Attributes, proxies: TrustedProxies): string | undefined {
  const parse = (text: string) =>
    text.includes(',') ? proxies.clientOf(forwardedForHops([text])) : canonicalAddress(text);
  const claimed = attributes.firstString([
    'client.address',
    'http.client_ip',
    'http.client.address',
  ]);
  const peer = attributes.firstString([
    'network.peer.address',
    'net.sock.peer.addr',
    'net.peer.ip',
    'peer.address',
  ]);
  const peerAddress = parse(peer);
  const peerStands = peerAddress !== '' && !proxies.trusts(canonicalAddress(peer));
  const hops = forwardingHops(attributes);
  if (claimed !== '') {
    const address = parse(claimed);
    if (peerStands && peerAddress !== address) return peerAddress;
    return address || undefined;
  }
  if (hops.length > 0 && !peerStands && !proxies.isEmpty)
    return proxies.clientOf(hops) || undefined;
  return peer === '' ? '' : peerAddress || undefined;
}

function forwardingHops(attributes: Attributes): string[] {
  const header = (name: string) => attributes.texts(`http.request.header.${name}`);
  const lists = [
    forwardedForHops(header('x-forwarded-for')),
    forwardedForHops(header('x_forwarded_for')),
    forwardedHops(header('forwarded')),
    ...['x-real-ip', 'x_real_ip', 'cf-connecting-ip', 'cf_connecting_ip'].map((name) =>
      forwardedForHops(header(name)),
    ),
  ];
  return lists.find((hops) => hops.length > 0) ?? [];
}
