import { python } from './python';
import { duckdbDeltaFolder } from '../../scripts/test-python';

/** Nothing is downloaded: the extensions are files of the packages, and DuckDB refuses one that it did not sign. */
const CONNECT = `
import duckdb, importlib.util, os
def connect():
    con = duckdb.connect(config={'autoinstall_known_extensions': 'false', 'autoload_known_extensions': 'false'})
    for name in ('httpfs', 'aws', 'delta'):
        package = os.path.dirname(importlib.util.find_spec(f'duckdb_extension_{name}').origin)
        con.load_extension(os.path.join(package, 'extensions', f'v{duckdb.__version__}', f'{name}.duckdb_extension'))
    return con
`;

/** Like {@link python}, with a DuckDB that reads Delta, locally and on S3: `connect()` gives a connection. */
export async function duckdbDelta<T>(script: string, input: unknown = null): Promise<T> {
  return python<T>(CONNECT + script, input, 'script', duckdbDeltaFolder());
}
