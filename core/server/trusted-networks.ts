import { BlockList, isIP } from 'node:net';

/** What `private` stands for in ROLLCALL_TRUSTED_PROXIES: loopback, link-local, RFC 1918 and unique local addresses. */
export const privateNetworks = [
  '127.0.0.0/8',
  '::1/128',
  '169.254.0.0/16',
  'fe80::/10',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
];

/**
 * @param texts networks in CIDR notation, as the configuration checked them, and `private`
 * @returns whether the address of a connection's other end is in one of them
 */
export function trustedPeers(texts: readonly string[]): (address: string | undefined) => boolean {
  const networks = new BlockList();
  for (const cidr of texts.flatMap((text) => (text === 'private' ? privateNetworks : [text]))) {
    const [address = '', bits] = cidr.split('/');
    networks.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return (address = '') => {
    const family = isIP(address);
    return family !== 0 && networks.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}
