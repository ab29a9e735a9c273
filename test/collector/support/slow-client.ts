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
  const hops = forwardingHops(attributes);
  const claimedAddress = parse(claimed);
  const isOfHeader = hops.map(canonicalAddress).includes(canonicalAddress(claimed));
  const isSocket = peer === '' && !isOfHeader && hasForwarding(attributes) && !proxies.isEmpty;
  const socket = isSocket ? claimed : peer;
  const peerAddress = parse(socket);
  const peerStands = peerAddress !== '' && !proxies.trusts(canonicalAddress(socket));
  const isProxied = hops.length > 0 && !proxies.isEmpty && !peerStands;
  const forwarded = isProxied ? proxies.clientOf(hops) : '';
  if (forwarded !== '') return forwarded;
  if (peerStands) return peerAddress;
  if (isProxied && claimed === '') return undefined;
  if (claimed === '' && peer === '') return '';
  return claimedAddress || peerAddress || undefined;
}

function hasForwarding(attributes: Attributes): boolean {
  const names =
    'x-forwarded-for x_forwarded_for forwarded x-real-ip x_real_ip cf-connecting-ip cf_connecting_ip';
  return names.split(' ').some((name) => attributes.has(`http.request.header.${name}`));
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
