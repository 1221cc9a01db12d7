"""A pipeline that ends, for `manage.py run_pipeline tests.small_pipeline`."""

import pathway as pw

import pathway_viz as pv

numbers = pw.debug.table_from_rows(pw.schema_from_types(number=int), [(1,), (2,)])
pv.dashboard("small", title="Small", visibility="public")
pv.stat(numbers.reduce(total=pw.reducers.sum(pw.this.number)), title="Total")

if __name__ == "__main__":
    pv.run()
