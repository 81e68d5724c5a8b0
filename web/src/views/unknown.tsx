import { PageTitle } from '../shell/page-title.tsx'
export function UnknownView({ what = 'such view' }: { what?: string }) {
  return (
    <>
      <PageTitle text="Nothing here" />
      <p className="page-sub">
        There is no {what}.{' '}
        <a className="plain-link" href="#/">
          To the overview
        </a>
      </p>
    </>
  )
}
