import polars from 'nodejs-polars';
import type { DataFrame, DataType, Expr, Series } from 'nodejs-polars';
import internal from 'nodejs-polars/bin/internals/polars_internal';

/**
 * nodejs-polars builds every `Expr` and every `Series` as a new object of two hundred closures, at
 * 0.6 ms each on the event loop; the native object inside takes 1 µs. A small partition needs hundreds.
 * So the engine builds the expressions it uses often itself, with the same native calls, and all others
 * through nodejs-polars. A test holds each against the library's own; the version is pinned.
 */
class LightExpr {
  readonly _expr: NativeExpr;

  constructor(expr: NativeExpr) {
    this._expr = expr;
  }

  /** How nodejs-polars knows an expression. */
  [Symbol.toStringTag](): string {
    return 'Expr';
  }

  inner(): NativeExpr {
    return this._expr;
  }

  cast(type: DataType, strict = false): LightExpr {
    return new LightExpr(this._expr.cast!(type, strict));
  }

  alias(name: string): LightExpr {
    return new LightExpr(this._expr.alias!(name));
  }

  hash(k0: number, k1: number, k2: number, k3: number): LightExpr {
    return new LightExpr(this._expr.hash!(BigInt(k0), BigInt(k1), BigInt(k2), BigInt(k3)));
  }

  over(...names: (string | LightExpr)[]): LightExpr {
    return new LightExpr(
      this._expr.over!(names.map((name) => (typeof name === 'string' ? native.col(name) : name._expr))),
    );
  }
}

/** The native functions beneath nodejs-polars; its types do not describe them. */
interface Native {
  readonly col: (name: string) => NativeExpr;
  readonly lit: (value: unknown) => NativeExpr;
  readonly element: () => NativeExpr;
  readonly len: () => NativeExpr;
  readonly anyHorizontal: (exprs: readonly NativeExpr[]) => NativeExpr;
  readonly concatLst: (exprs: readonly NativeExpr[]) => NativeExpr;
  readonly when: (condition: NativeExpr) => {
    readonly then: (value: NativeExpr) => { readonly otherwise: (value: NativeExpr) => NativeExpr };
  };
  readonly JsSeries: Readonly<
    Record<'newFloat64Array' | 'newUint32Array' | 'newUint8Array', (name: string, values: ArrayBufferView) => unknown>
  >;
}

const native = internal as unknown as Native;

/** An expression inside nodejs-polars: methods from and to its like. */
interface NativeExpr {
  readonly [method: string]: ((...args: unknown[]) => NativeExpr) | undefined;
}

/** Methods without arguments, by their native names. */
const UNARY = ['count', 'floor', 'isNan', 'isNotNull', 'isNull', 'max', 'min', 'not', 'sum'] as const;
/** Methods that take one expression. */
const BINARY = {
  and: 'and',
  or: 'or',
  add: 'add',
  plus: 'add',
  mul: 'mul',
  div: 'div',
  modulo: 'rem',
  eq: 'eq',
  neq: 'neq',
  lt: 'lt',
  ltEq: 'ltEq',
  gt: 'gt',
  gtEq: 'gtEq',
  filter: 'filter',
  fillNull: 'fillNull',
} as const;

const define = (name: string | symbol, value: (this: LightExpr, ...args: unknown[]) => unknown): void => {
  Object.defineProperty(LightExpr.prototype, name, { value, writable: true, configurable: true });
};
for (const name of UNARY) {
  define(name, function () {
    return new LightExpr(this._expr[name]!());
  });
}
for (const [name, method] of Object.entries(BINARY)) {
  define(name, function (other) {
    if (!polars.Expr.isExpr(other)) return (full(this)[name] as (arg: unknown) => unknown)(other);
    return new LightExpr(this._expr[method]!(other._expr));
  });
}

/** The same expression as nodejs-polars makes it. */
const full = ({ _expr }: LightExpr): Record<string | symbol, unknown> =>
  (polars.Expr as unknown as (expr: NativeExpr) => Record<string | symbol, unknown>)(_expr);

const template = full(new LightExpr(native.col('template')));
for (const name of Reflect.ownKeys(template)) {
  if (Object.hasOwn(LightExpr.prototype, name) || name === '_expr') continue;
  if (Object.getOwnPropertyDescriptor(template, name)?.get === undefined) {
    define(name, function (...args) {
      return (full(this)[name] as (...all: unknown[]) => unknown)(...args);
    });
  } else {
    Object.defineProperty(LightExpr.prototype, name, {
      get(this: LightExpr): unknown {
        return full(this)[name];
      },
      configurable: true,
    });
  }
}

const light = (expr: NativeExpr): Expr => new LightExpr(expr) as unknown as Expr;
const natives = (exprs: readonly Expr[]): NativeExpr[] => exprs.map(({ _expr }) => _expr as NativeExpr);

/** nodejs-polars, with cheap expressions. */
export const pl = {
  ...polars,
  col: (name: string): Expr => light(native.col(name)),
  lit: (value: string | number | boolean | null | Series): Expr =>
    light(native.lit(polars.Series.isSeries(value) ? value.inner() : value)),
  element: (): Expr => light(native.element()),
  len: (): Expr => light(native.len()),
  anyHorizontal: (exprs: readonly Expr[]): Expr => light(native.anyHorizontal(natives(exprs))),
  concatList: (exprs: readonly Expr[]): Expr => light(native.concatLst(natives(exprs))),
  /** `pl.when(condition).then(value).otherwise(other)`. */
  choose: (condition: Expr, value: Expr, other: Expr): Expr =>
    light(native.when(condition._expr).then(value._expr).otherwise(other._expr)),
  /** Every column, at these rows, of which there is one at least: `pl.all().gather(rows)`, which takes no large arrays. */
  allAt: (rows: Uint32Array): Expr => light(native.col('*').gather!(native.lit(nativeSeries('', rows)).explode!())),
  /** `exprs.lst.eval(each)`. */
  listEval: (list: Expr, each: Expr): Expr => light(list._expr.listEval(each._expr)),
};

/** Columns of numbers as a frame. */
export function frameOf(columns: Readonly<Record<string, Float64Array | Uint32Array | Uint8Array>>): DataFrame {
  return polars.DataFrame(Object.entries(columns).map(([name, values]) => ({ name, _s: nativeSeries(name, values) })));
}

function nativeSeries(name: string, values: Float64Array | Uint32Array | Uint8Array): unknown {
  const { JsSeries } = native;
  if (values instanceof Float64Array) return JsSeries.newFloat64Array(name, values);
  if (values instanceof Uint32Array) return JsSeries.newUint32Array(name, values);
  return JsSeries.newUint8Array(name, values);
}

/** A column of float64 or uint32, as `Series.toTypedArray` gives it. @throws Error when it has a null. */
export function numbersOf(frame: DataFrame, column: string): Float64Array | Uint32Array {
  const series = frame._df.column(column);
  if (series.nullCount() > 0) throw new Error(`column ${column} holds nulls`);
  return series.toTypedArray();
}
