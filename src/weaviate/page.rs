//! One page of a listing: the hot path of a backup.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::Error;
use super::ask::Ask;
use super::body::{Body, Shape};
use super::client::Client;
use crate::model::{CollectionName, ObjectId, TenantName};

/// What every version says when it refuses a page's limit; only newer ones name the setting behind it.
const LIMIT_REFUSED: &str = "query maximum results exceeded";

/// Which page.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<'a> {
    /// The collection.
    pub collection: &'a CollectionName,
    /// The tenant, in a multi-tenant collection.
    pub tenant: Option<&'a TenantName>,
    /// The cursor: only ids beyond it; `None` from the very start, the nil UUID included.
    pub after: Option<ObjectId>,
    /// Objects at most.
    pub limit: u32,
    /// With vectors.
    pub vectors: bool,
    /// Bytes at most; a longer body is dropped.
    pub max_bytes: u64,
}

/// What came of asking for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageReply {
    /// The body: whole by HTTP's rules, `{` first and `}` last. Everything else about it is for the caller to judge.
    Body(Bytes),
    /// 200 with an empty body: an object with an unprintable vector is on the page. Never the end of a listing.
    Empty,
    /// The body is longer than `max_bytes`; it was dropped.
    TooLarge,
    /// The server allows no page of that many objects.
    LimitTooHigh,
}

fn path(page: &PageRequest<'_>) -> String {
    let mut path = format!("/v1/objects?class={}&limit={}&after=", page.collection, page.limit);
    if let Some(after) = page.after {
        let _ = write!(path, "{after}");
    }
    if page.vectors {
        path.push_str("&include=vector");
    }
    if let Some(tenant) = page.tenant {
        let _ = write!(path, "&tenant={tenant}");
    }
    path
}

impl Client {
    /// Fetches one page. Asking again for a page that makes no sense is safe, and not counted as a retry.
    pub async fn page(&self, page: &PageRequest<'_>) -> Result<PageReply, Error> {
        let last = self.page_bytes().load(Ordering::Relaxed);
        let ask = Ask {
            shape: Shape::Page,
            max_bytes: page.max_bytes,
            expected_bytes: last + last / 8,
            ..Ask::get(path(page))
        };
        let body = match self.send_doubting_404(&ask).await {
            Ok(answer) => answer.body,
            Err(Error::Rejected { status: 422, message, .. }) if message.contains(LIMIT_REFUSED) => {
                return Ok(PageReply::LimitTooHigh);
            }
            Err(error) => return Err(error),
        };
        Ok(match body {
            Body::TooLarge => PageReply::TooLarge,
            Body::Whole(bytes) if bytes.trim_ascii().is_empty() => PageReply::Empty,
            Body::Whole(bytes) => {
                self.page_bytes().store(bytes.len() as u64, Ordering::Relaxed);
                PageReply::Body(bytes)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_with_every_parameter_it_needs() {
        let collection = "Article".parse().expect("a name");
        let tenant = "t-1".parse().expect("a name");
        let mut page =
            PageRequest { collection: &collection, tenant: None, after: None, limit: 10, vectors: false, max_bytes: 1 };
        assert_eq!(path(&page), "/v1/objects?class=Article&limit=10&after=");
        page = PageRequest { tenant: Some(&tenant), after: Some(ObjectId(1)), vectors: true, ..page };
        let all =
            "/v1/objects?class=Article&limit=10&after=00000000-0000-0000-0000-000000000001&include=vector&tenant=t-1";
        assert_eq!(path(&page), all);
    }
}
