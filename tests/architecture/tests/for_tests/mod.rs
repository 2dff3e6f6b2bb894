//! Code that is for tests alone, which what looks at the program's own leaves out.

use syn::{Attribute, Path};

/// Whether these attributes make an item one of tests: `#[cfg(test)]`, or a test of any runner.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg_test = attribute.path().is_ident("cfg") && attribute.parse_args::<Path>().is_ok_and(|path| path.is_ident("test"));
        cfg_test || attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
    })
}
