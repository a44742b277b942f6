interface Place {
  /** Folder of the environments. */
  readonly cache: string;
  /** A requirements file. */
  readonly requirements: string;
}

export function interpreterOf(place: Place): string;
export function ensureEnvironment(place: Place, hint: string): Promise<void>;
export function packagesOf(place: Place, name: string, python: string): string;
export function ensurePackages(place: Place, name: string, python: string): Promise<void>;
