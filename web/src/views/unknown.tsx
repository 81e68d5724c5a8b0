export function UnknownView({ what = 'such view' }: { what?: string }) {
  return (
    <>
      <h1 className="page-title">Nothing here</h1>
      <p className="page-sub">
        There is no {what}.{' '}
        <a className="plain-link" href="#/">
          To the overview
        </a>
      </p>
    </>
  )
}
