// The AWS account that the demo plays in: what the story needs of it, whoever provides it.

export interface Account {
  readonly id: string;
  readonly region: string;
  /** Where AWS answers. */
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Public addresses: of services by `cluster/service`, of distributions by id. */
  endpoints(): Promise<Endpoints>;
  /** The manifest of an image that runs the shop's programs with these variables built in. */
  image(variables: Readonly<Record<string, string>>): string;
  /** What infrastructure code and an older pipeline left: a shop in every environment, on the build of `sha`. */
  furnish(environments: readonly string[], sha: string): Promise<void>;
}

export interface Endpoints {
  readonly services: Readonly<Record<string, string>>;
  readonly distributions: Readonly<Record<string, { readonly aliases: readonly string[]; readonly url: string }>>;
}
