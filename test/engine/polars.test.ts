import polars from 'nodejs-polars';
import type { Expr } from 'nodejs-polars';
import { frameOf, numbersOf, pl } from '../../src/engine/polars';

/** Everything that makes an expression, from nodejs-polars or from the engine's cheap stand-in. */
interface Maker {
  readonly col: (name: string) => Expr;
  readonly lit: (value: string | number | boolean | null) => Expr;
  readonly element: () => Expr;
}

const METHODS: Readonly<Record<string, (a: Expr, b: Expr, make: Maker) => Expr>> = {
  alias: (a) => a.alias('b'),
  'strict cast': (a) => a.cast(polars.Int64, true),
  'lenient cast': (a) => a.cast(polars.Datetime('us', 'UTC')),
  'cast to decimal': (a) => a.cast(polars.Decimal(12, 2), true),
  over: (a) => a.max().over('k0', 'k1'),
  'over an expression': (a, b) => a.max().over(b),
  count: (a) => a.count(),
  floor: (a) => a.floor(),
  isNan: (a) => a.isNan(),
  isNotNull: (a) => a.isNotNull(),
  isNull: (a) => a.isNull(),
  max: (a) => a.max(),
  min: (a) => a.min(),
  not: (a) => a.not(),
  sum: (a) => a.sum(),
  and: (a, b) => a.and(b),
  or: (a, b) => a.or(b),
  add: (a, b) => a.add(b),
  plus: (a, b) => a.plus(b),
  mul: (a, b) => a.mul(b),
  div: (a, b) => a.div(b),
  modulo: (a, b) => a.modulo(b),
  eq: (a, b) => a.eq(b),
  neq: (a, b) => a.neq(b),
  lt: (a, b) => a.lt(b),
  ltEq: (a, b) => a.ltEq(b),
  gt: (a, b) => a.gt(b),
  gtEq: (a, b) => a.gtEq(b),
  filter: (a, b) => a.filter(b),
  fillNull: (a, b) => a.fillNull(b),
  'fillNull by strategy': (a) => a.fillNull('forward'),
  'eq to a value': (a) => a.eq(7),
  'eq to the name of a column': (a) => a.eq('b'),
  isIn: (a) => a.isIn(['x', 'y']),
  'str.contains': (a) => a.str.contains('^x', false, true),
  'lst.eval': (a, _b, { element }) => a.lst.eval(element().filter(element().isNotNull())),
  'a method that the engine does not use': (a) => a.rollingMean(3).quantile(0.5),
  'literal text': (a, _b, { lit }) => a.eq(lit('x')),
  'literal number': (a, _b, { lit }) => a.eq(lit(1.5)),
  'literal boolean': (a, _b, { lit }) => a.eq(lit(false)),
  'literal null': (a, _b, { lit }) => a.eq(lit(null)),
};

const serialized = (expr: Expr): string => JSON.stringify(expr);

describe('a cheap expression is the one that nodejs-polars makes', () => {
  it.each(Object.entries(METHODS))('%s', (_, build) => {
    const cheap = build(pl.col('a'), pl.col('b'), pl);
    const own = build(polars.col('a'), polars.col('b'), polars);
    expect(serialized(cheap)).toBe(serialized(own));
    expect(serialized(cheap)).not.toBe(serialized(polars.col('a')));
    expect(String(cheap)).toBe(String(own));
  });

  it.each(['a', '^a.*$', '*', 'ä b'])('col(%j)', (name) => {
    expect(serialized(pl.col(name))).toBe(serialized(polars.col(name)));
  });

  it('made of several', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(pl.col) as [Expr, Expr, Expr];
    const [x, y, z] = ['a', 'b', 'c'].map((name) => polars.col(name)) as [Expr, Expr, Expr];
    expect(serialized(pl.choose(a, b, c))).toBe(serialized(polars.when(x).then(y).otherwise(z)));
    expect(serialized(pl.len())).toBe(serialized(polars.len()));
    expect(serialized(pl.anyHorizontal([a, b]))).toBe(serialized(polars.anyHorizontal([x, y])));
    expect(serialized(pl.concatList([a, b]))).toBe(serialized(polars.concatList([x, y])));
    expect(serialized(pl.listEval(a, pl.element().isNotNull()))).toBe(
      serialized(x.lst.eval(polars.element().isNotNull())),
    );
  });

  it('and mixes with it', () => {
    expect(serialized(polars.col('a').eq(pl.col('b')))).toBe(serialized(pl.col('a').eq(polars.col('b'))));
    expect(polars.Expr.isExpr(pl.col('a'))).toBe(true);
  });

  it('hashes, which cannot be written down, to the same numbers', () => {
    const frame = polars.DataFrame({ a: ['x', 'y', null, 'ä'] });
    const [cheap, own, other] = [
      pl.col('a').hash(0, 1, 2, 3),
      polars.col('a').hash(0, 1, 2, 3),
      pl.col('a').hash(3, 2, 1, 0),
    ].map((hash) => frame.select(hash.cast(polars.UInt64).cast(polars.Utf8)).getColumn('a').toArray());
    expect(cheap).toEqual(own);
    expect(cheap).not.toEqual(other);
  });

  it('of every column, at some rows', () => {
    const frame = polars.DataFrame({ a: ['x', null, 'z', 'ä'], b: [1, 2, 3, 4] });
    const picked = frame.select(pl.allAt(Uint32Array.of(1, 3)));
    expect(picked.toRecords()).toEqual(frame.select(polars.all().gather([1, 3])).toRecords());
    expect(picked.toRecords()).toEqual([
      { a: null, b: 2 },
      { a: 'ä', b: 4 },
    ]);
    expect(frame.select(pl.allAt(Uint32Array.of(2))).toRecords()).toEqual([{ a: 'z', b: 3 }]);
    expect(() => frame.select(pl.allAt(Uint32Array.of(4)))).toThrow('out of bounds');
  });

  it('over a series', () => {
    const listed = polars.Series('listed', ['x', 'y'], polars.Utf8);
    expect(String(pl.col('a').isIn(pl.lit(listed)))).toBe(String(polars.col('a').isIn(polars.lit(listed))));
  });
});

describe('columns of numbers', () => {
  it('go into a frame and come back', () => {
    const columns = {
      float: new Float64Array([1.5, -0, Number.NaN, 2 ** 53]),
      row: new Uint32Array([0, 1, 2 ** 32 - 1, 7]),
      mask: new Uint8Array([0, 1, 255, 3]),
    };
    const frame = frameOf(columns);
    expect(frame.dtypes.map(String)).toEqual(polars.DataFrame(columns).dtypes.map(String));
    expect(numbersOf(frame, 'float')).toEqual(columns.float);
    expect(numbersOf(frame, 'row')).toEqual(columns.row);
    expect(frame.getColumn('mask').toArray()).toEqual([0, 1, 255, 3]);
    expect(frame.shape).toEqual({ height: 4, width: 3 });
  });

  it('of no rows, or views of a larger array, keep their type', () => {
    const view = new Float64Array([1, 2, 3, 4]).subarray(1, 3);
    expect(numbersOf(frameOf({ view }), 'view')).toEqual(new Float64Array([2, 3]));
    expect(numbersOf(frameOf({ none: new Uint32Array(0) }), 'none')).toEqual(new Uint32Array(0));
  });

  it('with a null are refused', () => {
    const frame = polars.DataFrame({ a: polars.Series('a', [1, null], polars.Float64) });
    expect(() => numbersOf(frame, 'a')).toThrow('nulls');
  });
});
